import type { Origin } from './peer.ts'

/** Hop-by-hop headers (RFC 9110, section 7.6.1) besides those that frame the body. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
  'expect',
])
/** What the control plane believes, because the edge writes it. */
const own = new Set(['forwarded', 'x-real-ip'])

/** The headers of a request for the control plane: the client's own, and where it comes from. */
export function controlHeaders(raw: readonly string[], origin: Origin): string[] {
  const listed = listedIn(raw)
  const headers: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase()
    if (hopByHop.has(name) || own.has(name) || name.startsWith('x-forwarded-') || listed.has(name)) continue
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
  const listed = listedIn(raw)
  return raw.filter((_, i) => {
    const name = (raw[i - (i % 2)] as string).toLowerCase()
    return !hopByHop.has(name) && name !== 'transfer-encoding' && !listed.has(name)
  })
}

/** Names that `Connection` lists. Those that frame or route a message stay. */
function listedIn(raw: readonly string[]): Set<string> {
  const names = raw
    .filter((_, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === 'connection')
    .flatMap(value => value.split(',').map(name => name.trim().toLowerCase()))
  const listed = new Set(names)
  for (const name of ['host', 'content-length', 'transfer-encoding']) listed.delete(name)
  return listed
}
