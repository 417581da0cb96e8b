import { Command } from 'commander'
import { ensureStaff } from '../../src/auth/ensure-staff.ts'
import { loadConfig } from '../../src/config.ts'
import { openCentral } from '../../src/db/client.ts'
import { readClock } from '../../src/db/test-clock.ts'
import { parseAddress } from '../../src/mail/address.ts'
import { temporaryPassword, temporaryPasswordHours } from '../../src/tenants/temporary-password.ts'

export const command = new Command('staff')
  .description('personal de la plataforma')
  .addCommand(
    new Command('add')
      .description('da de alta a una persona de la plataforma, o hace de la plataforma a quien ya tiene cuenta')
      .requiredOption('--email <correo>', 'su correo')
      .option('--nombre <nombre>', 'su nombre', 'Plataforma')
      .action(add),
  )

async function add({ email, nombre }: { email: string; nombre: string }): Promise<void> {
  const config = loadConfig(process.env, 'cli')
  const central = openCentral(config)
  try {
    const address = parseAddress(email)
    if (!address) throw new Error(`no es una dirección de correo: ${email}`)
    const now = (await readClock(config, central)).now()
    const password = temporaryPassword()
    const temporaryUntil = new Date(now.getTime() + temporaryPasswordHours * 3_600_000)
    const outcome = await ensureStaff(central, { email: address, nombre, password, temporaryUntil }, now)
    if (outcome === 'created') {
      console.error(`Contraseña temporal, válida ${temporaryPasswordHours} horas. No se vuelve a mostrar:`)
      console.log(password)
    } else {
      console.error(
        outcome === 'promoted' ? 'Ya tenía cuenta: ahora también es de la plataforma.' : 'Ya era de la plataforma.',
      )
    }
  } finally {
    await central.destroy()
  }
}
