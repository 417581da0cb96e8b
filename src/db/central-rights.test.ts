import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type PreparedCluster, startPreparedCluster } from '../../test/support/prepared-cluster.ts'
import { type OwnerConnection, openAs } from './client.ts'
import { sqlState } from './failures.ts'

let cluster: PreparedCluster
let central: OwnerConnection
before(async () => {
  cluster = await startPreparedCluster()
  const { url, ownerUrl } = await cluster.createCentral()
  const owner = await openAs(ownerUrl)
  await owner.query(
    `insert into database_servers (name, host, port, owner_credential) values ('local', '127.0.0.1', 5432, 'local-owner')`,
  )
  await owner.end()
  central = await openAs(url)
})
after(async () => {
  await central.end()
  await cluster.stop()
})

test('the running product cannot say where a server is, rewrite the past, or change what it stands on', async () => {
  for (const statement of [
    // The worker would go there with the password of the owner.
    `update database_servers set host = 'evil.example'`,
    `update database_servers set port = 1`,
    `update database_servers set tls = 'off'`,
    `update database_servers set owner_credential = 'other'`,
    `insert into database_servers (name, host, port, owner_credential) values ('x', 'evil.example', 1, 'local-owner')`,
    'delete from database_servers',
    `update audit_log set action = 'x'`,
    'delete from audit_log',
    'truncate audit_log',
    'delete from schema_migrations',
    `update schema_migrations set checksum = 'x'`,
    'create table otra (n int)',
    'alter table users disable trigger all',
    'drop trigger tenant_databases_changed on tenant_databases',
    'create or replace function notify_user() returns trigger language plpgsql as $$ begin return null; end $$',
    'set role horux_owner',
    `select pgboss.create_queue('x', '{"policy":"standard","partition":true}')`,
    'drop table pgboss.job',
    `update pgboss.version set version = 1 where false; create table pgboss.otra (n int)`,
    'create role otro',
    'create database otra',
  ]) {
    const outcome = await central.query(statement).then(() => 'ok', sqlState)
    assert.equal(outcome, '42501', statement)
  }
})

test('it notes what it saw of a server', async () => {
  await central.query(
    `update database_servers set server_version = 18, template_hash = 'x', checked_at = now(), last_error = null`,
  )
})
