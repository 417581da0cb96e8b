-- Mail is a row of the transaction that caused it: it exists if and only if the cause does, and a failing SMTP server
-- fails nothing but itself.
create table mail_outbox (
  id           uuid primary key,
  template     text not null,
  to_email     text not null,
  to_name      text not null default '',
  data         jsonb not null,
  dedupe_key   text not null unique,
  tenant_id    uuid references tenants,
  state        text not null default 'queued' check (state in ('queued', 'sent', 'failed', 'expired')),
  attempts     int not null default 0,
  claimed_until timestamptz,
  last_error   text,
  expires_at   timestamptz,
  created_at   timestamptz not null default now(),
  sent_at      timestamptz
);
comment on table mail_outbox is 'Mails to send and sent. data is emptied once the mail is out or expired, because it can hold a temporary password or a reset link.';
comment on column mail_outbox.claimed_until is 'A process is sending it. No lock is held meanwhile; when this instant passes, the process is taken for dead and another may.';
create index mail_outbox_queued on mail_outbox (created_at) where state = 'queued';
