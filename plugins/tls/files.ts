import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { z } from 'zod'
import { readCertificate } from '../../src/http/tls/certificate.ts'
import { type CertificateFiles, faultIn } from '../../src/http/tls/certificate-store.ts'

interface FileSettings {
  TLS_MODE?: string | undefined
  TLS_CERTIFICATE_FILES: string
  TLS_KEY_FILES: string
}

/** The operator's certificates, each with its key. Adds a fault for every one that cannot be used. */
export function certificateFiles(env: FileSettings, context: z.RefinementCtx): CertificateFiles[] {
  const certificates = pathsIn(env.TLS_CERTIFICATE_FILES)
  const keys = pathsIn(env.TLS_KEY_FILES)
  const fault = (setting: string, message: string) =>
    context.addIssue({ code: 'custom', path: [setting], message })
  if (env.TLS_MODE !== 'files') {
    if (certificates.length > 0) fault('TLS_CERTIFICATE_FILES', 'is only for TLS_MODE=files')
    return []
  }
  if (certificates.length === 0) {
    fault('TLS_CERTIFICATE_FILES', 'must name the files of the certificates, because TLS_MODE is files')
    return []
  }
  if (keys.length !== certificates.length) {
    fault('TLS_KEY_FILES', 'must name one file for each of TLS_CERTIFICATE_FILES, in the same order')
    return []
  }
  const pairs = certificates.map((certificate, i) => ({ certificate, key: keys[i] as string }))
  const read = (setting: string, what: string, file: string): string | null => {
    try {
      return readFileSync(file, 'utf8')
    } catch (error) {
      fault(setting, `the ${what} ${faultIn(file, error)}`)
      return null
    }
  }
  for (const { certificate, key } of pairs) {
    const chainText = read('TLS_CERTIFICATE_FILES', 'certificate', certificate)
    const keyText = read('TLS_KEY_FILES', 'key', key)
    if (chainText === null || keyText === null) continue
    try {
      readCertificate(chainText, keyText)
    } catch (error) {
      fault('TLS_CERTIFICATE_FILES', faultIn(certificate, error))
    }
  }
  return pairs
}

function pathsIn(list: string): string[] {
  return list
    .split(',')
    .map(path => path.trim())
    .filter(path => path !== '')
    .map(path => resolve(path))
}
