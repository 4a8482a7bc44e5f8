import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import { certificatesIn } from '../../certificates.ts'

/** A certificate with its key, as the listener shows it to clients. */
export interface Certificate {
  /** The names that it is for, in lower case; `*.` stands for one label. */
  names: readonly string[]
  notBefore: number
  notAfter: number
  /** In hexadecimal: tells one certificate from the next for the same names. */
  serial: string
  issuer: string
  /** The chain and the key, in PEM form. */
  pem: { cert: string; key: string }
  /** Made when it is first asked for: a site may have many that no client wants. */
  context(): SecureContext
}

/** The oldest version that clients may speak. */
export const minVersion = 'TLSv1.2'

/**
 * Reads a certificate with its chain, and its key, from PEM texts. Throws in words when one of them is not that, or they do
 * not belong together.
 */
export function readCertificate(chain: string, key: string): Certificate {
  const [first = ''] = certificatesIn(chain)
  const leaf = new X509Certificate(first)
  if (!leaf.checkPrivateKey(readKey(key))) throw new Error('and the key do not belong together')
  const names = namesOf(leaf)
  if (names.length === 0) throw new Error('names no host (subjectAltName)')
  let context: SecureContext | undefined
  return {
    names,
    notBefore: leaf.validFromDate.getTime(),
    notAfter: leaf.validToDate.getTime(),
    serial: leaf.serialNumber,
    issuer: /^CN=(.*)$/m.exec(leaf.issuer)?.[1] ?? leaf.issuer,
    pem: { cert: chain, key },
    context: () => {
      context ??= createSecureContext({ cert: chain, key, minVersion })
      return context
    },
  }
}

function readKey(key: string) {
  try {
    return createPrivateKey(key)
  } catch {
    throw new Error('has no key that can be read: it must be in PEM form, without a passphrase')
  }
}

function namesOf(leaf: X509Certificate): string[] {
  return (leaf.subjectAltName ?? '')
    .split(', ')
    .filter(name => name.startsWith('DNS:') || name.startsWith('IP Address:'))
    .map(name => name.slice(name.indexOf(':') + 1).toLowerCase())
}
