import type { IncomingMessage } from 'node:http'
import type { Logger } from '../../log.ts'
import { addressSet, isLoopback, plainAddress } from '../address.ts'

/**
 * Warns once in the log that an untrusted tunnel or proxy on this machine forwards requests. All its visitors then count as
 * one address and share its limits.
 */
export function warnOfUnbelieved(
  site: { trustedProxies: readonly string[]; routerMode: string },
  log: Logger,
): (request: IncomingMessage) => void {
  const proxies = addressSet(site.trustedProxies)
  let warned = false
  // A connection carries many requests, and its peer never changes, so each is checked once.
  const seen = new WeakSet<object>()
  return ({ headers, socket }) => {
    if (warned || seen.has(socket)) return
    if (headers['x-forwarded-for'] === undefined && headers['x-forwarded-proto'] === undefined) return
    seen.add(socket)
    const peer = plainAddress(socket.remoteAddress ?? '')
    if (!isLoopback(peer.includes(':') ? `[${peer}]` : peer) || proxies.has(peer)) return
    warned = true
    log.warn(
      { peer, mode: site.routerMode },
      'a proxy or tunnel on this machine sends X-Forwarded-* headers but is not trusted, so every visitor counts as this machine. Set ROUTER_MODE=behind, or add it to LONGHOUSE_TRUSTED_PROXIES',
    )
  }
}
