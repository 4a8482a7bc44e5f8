import { X509Certificate } from 'node:crypto'
import tls from 'node:tls'

const block = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

/** The certificates of a PEM text. Throws in words when there are none, or one cannot be read. */
export function certificatesIn(text: string): string[] {
  const found = text.match(block) ?? []
  if (found.length === 0) throw new Error('holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)')
  for (const [index, pem] of found.entries()) {
    try {
      new X509Certificate(pem)
    } catch {
      throw new Error(`holds a certificate that cannot be read, number ${index + 1} of ${found.length}`)
    }
  }
  return found
}

/** From now on, TLS clients in this process trust these authorities besides the usual ones. */
export function trustCertificates(certificates: readonly string[]): void {
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), ...certificates])
}
