import type { IncomingMessage } from 'node:http'
import type { Site } from '../plugins/site/contract.ts'
import { addressSet, isLoopback, plainAddress } from '../src/http/address.ts'
import type { Logger } from '../src/log.ts'

/**
 * Says once in the log that something on this machine forwards requests and is not believed: a tunnel, or a proxy that
 * no setting names. Then all visitors count as one address, and share its limits.
 */
export function warnOfUnbelieved(site: Site, log: Logger): (request: IncomingMessage) => void {
  const proxies = addressSet(site.trustedProxies)
  let warned = false
  // A connection carries many requests and its peer never changes: each is looked at once.
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
      'a proxy or tunnel on this machine sends X-Forwarded-*, which is not believed: every visitor counts as this machine. Set ROUTER_MODE=behind, or name it in LONGHOUSE_TRUSTED_PROXIES',
    )
  }
}
