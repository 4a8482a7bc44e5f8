import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import tls from 'node:tls'
import { trustCertificates } from '../../src/certificates.ts'
import { certificatesFolder } from '../isolation/reach.ts'

/**
 * Trusts these authorities in this process, and has every program that it starts trust them: Node reads its own list and
 * these, other programs read one file that holds both. Returns what takes it back for programs that start later.
 */
export function trust(volumeDir: string, certificates: readonly string[]): () => void {
  const folder = join(volumeDir, certificatesFolder)
  if (certificates.length === 0) {
    rmSync(folder, { recursive: true, force: true })
    return () => {}
  }
  const usual = tls.getCACertificates('bundled')
  mkdirSync(folder, { recursive: true })
  const own = join(folder, 'own.pem')
  const all = join(folder, 'all.pem')
  writeFileSync(own, `${certificates.join('\n')}\n`)
  writeFileSync(all, `${[...usual, ...certificates].join('\n')}\n`)
  trustCertificates(certificates)

  const variables = {
    NODE_EXTRA_CA_CERTS: own,
    ...Object.fromEntries(['SSL_CERT_FILE', 'GIT_SSL_CAINFO', 'CURL_CA_BUNDLE'].map(name => [name, all])),
  }
  const before = Object.keys(variables).map(name => [name, process.env[name]] as const)
  Object.assign(process.env, variables)
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}
