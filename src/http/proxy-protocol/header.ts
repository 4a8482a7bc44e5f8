import { isIP, SocketAddress } from 'node:net'

/**
 * The header of the PROXY protocol, with which a proxy that passes on connections says whose they are. Version 1 is a line
 * of text, version 2 binary; both after the specification of haproxy.
 */
export type ProxyHeader =
  | { kind: 'partial' }
  | { kind: 'malformed'; fault: string }
  /** `length`: how many bytes the header takes. */
  | { kind: 'client'; client: Client; length: number }
  /** A connection of the proxy's own, such as a health check, or one whose client it does not know. */
  | { kind: 'proxy'; length: number }

export interface Client {
  address: string
  port: number
}

/** The longest line of version 1, its end included. */
const mostText = 107
/** Beyond addresses, version 2 carries notes on the connection. Real ones are a few hundred bytes long. */
const mostNotes = 2048
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')

/** Reads the header at the start of a connection, from the bytes so far. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (bytes.length === 0) return { kind: 'partial' }
  return bytes[0] === signature[0] ? readBinary(bytes) : readText(bytes)
}

function readText(bytes: Buffer): ProxyHeader {
  const start = 'PROXY '
  const begun = bytes.toString('latin1', 0, Math.min(bytes.length, start.length))
  if (begun !== start.slice(0, begun.length)) return malformed('it does not begin with a PROXY header')
  const end = bytes.indexOf('\r\n', 0, 'latin1')
  if (end < 0 && bytes.length < mostText) return { kind: 'partial' }
  const length = end + 2
  if (end < 0 || length > mostText) return malformed('the PROXY line is too long')
  const [, family, source, destination, from, to, ...rest] = bytes.toString('latin1', 0, end).split(' ')
  if (family === 'UNKNOWN') return { kind: 'proxy', length }
  if (family !== 'TCP4' && family !== 'TCP6') return malformed('the PROXY line names no known family')
  const address = addressOf(source, family)
  if (rest.length > 0 || address === null || addressOf(destination, family) === null) {
    return malformed('the PROXY line does not have two addresses of its family')
  }
  const port = portOf(from)
  if (port === null || portOf(to) === null) return malformed('the PROXY line does not have two ports')
  return { kind: 'client', client: { address, port }, length }
}

/** The address in the form that node gives for a connection's own; null if it is none of this family. */
function addressOf(text: string | undefined, family: 'TCP4' | 'TCP6'): string | null {
  // `isIP` would take a zone as well.
  if (text === undefined || !/^[0-9a-fA-F:.]+$/.test(text) || isIP(text) !== Number(family.slice(-1)))
    return null
  return family === 'TCP4' ? text : shortened(text)
}

function portOf(text: string | undefined): number | null {
  if (text === undefined || !/^(0|[1-9]\d{0,4})$/.test(text)) return null
  return Number(text) <= 65_535 ? Number(text) : null
}

const tcp4 = { code: 0x11, addressesLength: 12, port: 24 }
const tcp6 = { code: 0x21, addressesLength: 36, port: 48 }

function readBinary(bytes: Buffer): ProxyHeader {
  const given = bytes.subarray(0, signature.length)
  if (!given.equals(signature.subarray(0, given.length))) {
    return malformed('it does not begin with a PROXY header')
  }
  if (bytes.length < 16) return { kind: 'partial' }
  const version = bytes.readUInt8(12) >> 4
  const command = bytes.readUInt8(12) & 0xf
  if (version !== 2 || command > 1) return malformed('the PROXY header has no known version and command')
  const follows = bytes.readUInt16BE(14)
  const length = 16 + follows
  if (follows > tcp6.addressesLength + mostNotes) return malformed('the PROXY header is too long')
  const code = bytes.readUInt8(13)
  const isProxys = command === 0 || code === 0
  const family = [tcp4, tcp6].find(each => each.code === code)
  if (!isProxys && !family) return malformed('the PROXY header is for no connection of TCP')
  if (!isProxys && family && follows < family.addressesLength) {
    return malformed('the PROXY header is too short for its addresses')
  }
  if (bytes.length < length) return { kind: 'partial' }
  if (isProxys || !family) return { kind: 'proxy', length }
  const address = family === tcp4 ? bytes.subarray(16, 20).join('.') : address6(bytes.subarray(16, 32))
  return { kind: 'client', client: { address, port: bytes.readUInt16BE(family.port) }, length }
}

function address6(bytes: Buffer): string {
  return shortened(Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16)).join(':'))
}

function shortened(address: string): string {
  return new SocketAddress({ address, family: 'ipv6' }).address
}

function malformed(fault: string): ProxyHeader {
  return { kind: 'malformed', fault }
}
