import { hopByHop, readHead } from './headers.ts'
import type { Origin } from './peer.ts'

/** Those that frame the body stay: it is passed on as it comes. */
const endsHere = new Set([...hopByHop, 'expect'])
endsHere.delete('transfer-encoding')
/** What the control plane believes, because the edge writes it. */
const own = new Set(['forwarded', 'x-real-ip'])

/** The headers of a request for the control plane: the client's own, and where it comes from. */
export function controlHeaders(raw: readonly string[], origin: Origin): string[] {
  const { listed } = readHead(raw)
  const headers: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase()
    if (endsHere.has(name) || own.has(name) || name.startsWith('x-forwarded-') || listed?.includes(name))
      continue
    headers.push(raw[i] as string, raw[i + 1] as string)
  }
  headers.push('X-Forwarded-For', origin.client)
  headers.push('X-Forwarded-Proto', origin.proto)
  headers.push('X-Forwarded-Host', origin.host)
  headers.push('Connection', 'close')
  return headers
}

/** The headers of the control plane's answer, without those of the connection. */
export function controlAnswer(raw: readonly string[]): string[] {
  const { listed } = readHead(raw)
  return raw.filter((_, i) => {
    const name = (raw[i - (i % 2)] as string).toLowerCase()
    return !endsHere.has(name) && name !== 'transfer-encoding' && !listed?.includes(name)
  })
}
