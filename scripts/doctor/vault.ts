import type { Config } from '../../src/config.ts'
import type { OwnerConnection } from '../../src/db/client.ts'
import { loadAuthorities } from '../../src/fiel/authorities.ts'
import { findMachineFaults, isWrongKey, SAMPLE, type VaultFault } from '../../src/fiel/check-vault.ts'
import type { WrappedCertificate } from '../../src/fiel/operation-queries.ts'
import { type Finding, ok, problem } from './finding.ts'

/** What e.firmas need of this machine. */
export async function vault(config: Config): Promise<Finding[]> {
  const faults = await findMachineFaults(config)
  const findings = faults.map((fault) => findingOf(fault, config.env))
  return [...(findings.length > 0 ? findings : [ok(CHECK, 'firma SHA-1, carpetas')]), ...issuers(config, faults)]
}

const CHECK = 'e.firma'

/** How it is known that the SAT issued one. */
function issuers({ fielCaPath }: Config, faults: readonly VaultFault[]): Finding[] {
  if (faults.some(({ kind }) => kind === 'authorities')) return []
  if (fielCaPath !== null)
    return [ok(ISSUERS, `por la firma de ${loadAuthorities(fielCaPath).length} autoridades, de ${fielCaPath}`)]
  const remedy = 'pon los certificados de las autoridades del SAT en una carpeta y su ruta en FIEL_CA_PATH'
  return [{ check: ISSUERS, state: 'info', detail: 'se le cree al nombre del emisor', remedy }]
}

const ISSUERS = 'Emisor de e.firmas'

function findingOf(fault: VaultFault, env: Config['env']): Finding {
  switch (fault.kind) {
    case 'sha1':
      return problem(
        CHECK,
        'failed',
        'este equipo no firma con SHA-1 y el SAT lo exige',
        'permítelo en su política criptográfica: update-crypto-policies --set DEFAULT:SHA1, o rh-allow-sha1-signatures en openssl.cnf',
      )
    case 'folder':
      return fault.detail === 'open_to_others'
        ? problem(CHECK, 'failed', `otros pueden entrar a ${fault.folder}`, `chmod 700 ${fault.folder}`)
        : problem(CHECK, 'failed', `${fault.folder} no es una carpeta`, `revisa ${fault.which}`)
    case 'on_disk': {
      const detail = `FIEL_RUNTIME_PATH (${fault.folder}) está en un disco`
      if (env !== 'production')
        return { check: CHECK, state: 'info', detail, remedy: 'horux fiel decrypt pide --sin-tmpfs aquí' }
      return problem(CHECK, 'failed', detail, 'ponla en tmpfs: /run/horux-fiel, que crea la unidad del worker')
    }
    case 'authorities':
      return problem(
        CHECK,
        'failed',
        `no se pueden leer los certificados del SAT de ${fault.folder}: ${fault.detail}`,
        'deja en FIEL_CA_PATH sólo los .cer o .pem de sus autoridades, o quítala para creerle al nombre',
      )
    case 'missing_key':
      return missingKey(fault.kid, fault.credentials)
    case 'wrong_key':
      return wrongKey(fault.kid, fault.credentials)
  }
}

const missingKey = (kid: string, n: number): Finding =>
  problem(
    'Llaves de e.firma',
    'failed',
    `falta ${kid}, que envuelve ${n} e.firmas: no se pueden abrir`,
    'vuelve a ponerla al final de FIEL_ENCRYPTION_KEY y corre horux keys rotate',
  )

const wrongKey = (kid: string, n: number): Finding =>
  problem(
    'Llaves de e.firma',
    'failed',
    `la llave ${kid} no es la que envuelve ${n} e.firmas con ese nombre: no se pueden abrir`,
    'devuelve a FIEL_ENCRYPTION_KEY la de antes con ese nombre, y a la nueva dale otro; que nadie suba su e.firma de nuevo',
  )

/** Whether everything that is sealed can be opened, and nothing lies open after its time. */
export async function vaultRows(session: OwnerConnection, { fielKeys }: Config): Promise<Finding[]> {
  const [there] = await session.query<{ there: boolean }>(
    "select to_regclass('fiel_releases') is not null as there",
    [],
  )
  // Before its migration there is nothing to look at, and that it is missing is told elsewhere.
  if (!there?.there) return []
  const uses = await session.query<{ kid: string; n: number }>(
    'select kid, count(*)::int as n from fiel_credentials where ended_at is null group by kid order by kid',
    [],
  )
  const missing = uses.filter(({ kid }) => !fielKeys.kids.includes(kid))
  const old = uses.filter(({ kid }) => kid !== fielKeys.active.kid && fielKeys.kids.includes(kid))
  const all = uses.reduce((sum, { n }) => sum + n, 0)
  const waiting = old.reduce((sum, { n }) => sum + n, 0)
  const findings = missing.map(({ kid, n }) => missingKey(kid, n))
  for (const { kid, n } of uses.filter((use) => !missing.includes(use))) {
    const sample = await session.query<WrappedCertificate>(
      `select id, tenant_id as "tenantId", certificate from fiel_credentials
       where ended_at is null and kid = $1 order by created_at desc limit $2`,
      [kid, SAMPLE],
    )
    if (isWrongKey(fielKeys, sample)) findings.push(wrongKey(kid, n))
  }
  if (waiting > 0) {
    const detail = `${waiting} de ${all} e.firmas siguen envueltas con una llave anterior`
    findings.push(problem('Llaves de e.firma', 'warning', detail, 'horux keys rotate --yes'))
  }
  if (findings.length === 0) findings.push(ok('Llaves de e.firma', `${all} e.firmas, todas con ${fielKeys.active.kid}`))
  const [late] = await session.query<{ n: number }>(
    `select count(*)::int as n from fiel_releases
     where deleted_at is null and delete_after < now() - interval '10 minutes'`,
    [],
  )
  if (late && late.n > 0) {
    const detail = `${late.n} siguen en el disco después de su media hora`
    findings.push(problem('e.firmas abiertas', 'failed', detail, 'horux fiel sweep, como el usuario del worker'))
  }
  return findings
}
