import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { addressGroup, addressSet, clientAddress, plainAddress } from '../../../src/http/address.ts'
import type { Site } from '../../site/contract.ts'
import { requestIdOf, takeRequestId } from './request-id.ts'

/** Who a request comes from, and how it reached the site. */
export interface Origin {
  /** The client's address, behind any trusted proxies. */
  client: string
  /** The address group by which limits count the client. */
  group: string
  proto: 'http' | 'https'
  /** The host that the client asked for. */
  host: string
  /** The request's id: a trusted proxy's, or ours. */
  requestId: string
  /** Whether the connection is a trusted proxy's, whose other `X-Forwarded-…` headers are kept. */
  trusted: boolean
}

interface Peer {
  address: string
  group: string
  trusted: boolean
}

/** Reads a request's origin. `X-Forwarded-…` headers count only from a trusted proxy. */
export function originReader(site: Site): (request: IncomingMessage, host: string) => Origin {
  const proxies = addressSet(site.trustedProxies)
  const proto = site.publicUrl?.protocol === 'https:' ? 'https' : 'http'
  // A connection carries many requests, and its peer never changes.
  const peers = new WeakMap<Duplex, Peer>()

  const peerOf = (request: IncomingMessage): Peer => {
    let peer = peers.get(request.socket)
    if (!peer) {
      const address = plainAddress(request.socket.remoteAddress ?? '')
      peer = {
        address,
        group: addressGroup(address),
        trusted: site.trustedProxies.length > 0 && proxies.has(address),
      }
      peers.set(request.socket, peer)
    }
    return peer
  }

  return (request, host) => {
    const peer = peerOf(request)
    if (!peer.trusted)
      return {
        client: peer.address,
        group: peer.group,
        proto,
        host,
        requestId: requestIdOf(request),
        trusted: false,
      }
    takeRequestId(request)
    const { headers } = request
    const said = headers['x-forwarded-proto']
    const asked = headers['x-forwarded-host']
    const client = clientAddress(peer.address, one(headers['x-forwarded-for']), proxies)
    return {
      client,
      group: addressGroup(client),
      proto: said === 'https' || said === 'http' ? said : proto,
      host: one(asked) ?? host,
      requestId: requestIdOf(request),
      trusted: true,
    }
  }
}

/** Repeated lines of one list make one list, as RFC 9110 reads them. */
function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}
