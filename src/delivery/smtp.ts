import { isLoopback } from '../http/address.ts'
import { DeliveryError } from './delivery-error.ts'

export interface Mail {
  from: string
  to: string
  subject: string
  text: string
  /** The same text as HTML. */
  html?: string
  /** The same for every attempt, so that mail servers can recognise duplicates. */
  id: string
}

const patienceMs = 15_000

/**
 * Sends an email. Throws a DeliveryError. The library is loaded with the first one, because most programs send none
 * for days.
 */
export async function sendMail(smtpUrl: string, { id, ...mail }: Mail): Promise<void> {
  const { createTransport } = await import('nodemailer')
  const { protocol, hostname, port, username, password } = new URL(smtpUrl)
  const secure = protocol === 'smtps:'
  const transport = createTransport({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (secure ? 465 : 587) : Number(port),
    secure,
    // A password is sent only over an encrypted connection, except to this machine.
    requireTLS: !secure && username !== '' && !isLoopback(hostname),
    ...(username ? { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } } : {}),
    connectionTimeout: patienceMs,
    greetingTimeout: patienceMs,
    socketTimeout: patienceMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  try {
    await transport.sendMail({
      ...mail,
      messageId: messageId(id, mail.from),
      headers: { 'Auto-Submitted': 'auto-generated' },
    })
  } catch (error) {
    const { responseCode = 0, code } = error as { responseCode?: number; code?: string }
    const permanent = responseCode > 0 ? responseCode >= 500 : code === 'EENVELOPE'
    throw new DeliveryError(`the mail server: ${(error as Error).message}`, { permanent, cause: error })
  } finally {
    transport.close()
  }
}

function messageId(id: string, from: string): string {
  const domain = from.split('@').at(-1)?.replace(/[>\s]/g, '') || 'longhouse.localhost'
  return `<${id}@${domain}>`
}
