import { isIP } from 'node:net'
import { connect } from 'node:tls'
import type { Concern } from '../../src/kernel/concern.ts'

const day = 86_400_000
const withinMs = 10_000
/** Let's Encrypt's programs renew a month before the end; a fortnight before it, something is wrong. */
const warnBeforeMs = 14 * day

/** When the certificate ends that an address shows, in milliseconds since the epoch, valid or not. Throws when there is none. */
export function certificateEnd(url: URL): Promise<number> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = url
    const socket = connect({
      host: hostname,
      port: port === '' ? 443 : Number(port),
      // The name in the certificate; an address has none.
      ...(isIP(hostname) === 0 && { servername: hostname }),
      // It is looked at, and nothing is sent: one that has ended must be readable as well.
      rejectUnauthorized: false,
      timeout: withinMs,
    })
    socket.once('secureConnect', () => {
      const { valid_to } = socket.getPeerCertificate()
      socket.destroy()
      const end = Date.parse(valid_to)
      if (Number.isNaN(end)) reject(new Error('it shows no certificate'))
      else resolve(end)
    })
    socket.once('timeout', () => socket.destroy(new Error(`no answer within ${withinMs / 1000} s`)))
    socket.once('error', reject)
  })
}

/** Concern about the certificate of the outside address, as it was last seen. */
export function certificateConcern(url: URL, end: number, now: number): Concern[] {
  if (end - now > warnBeforeMs) return []
  const date = new Date(end).toISOString().slice(0, 10)
  return [
    {
      kind: 'certificate-ending',
      subject: url.host,
      subdomain: null,
      summary:
        end <= now
          ? `The certificate of ${url.host} ended on ${date}`
          : `The certificate of ${url.host} ends on ${date}`,
      detail: 'Browsers refuse the address from then on. Look at what renews it: the proxy in front.',
      urgency: 'alert',
      path: '/admin/alerts',
    },
  ]
}
