import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { certificatesIn, trustCertificates } from '../../src/certificates.ts'
import { setting } from '../../src/kernel/config.ts'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import '../provisioner/contract.ts'

/** All of them go into one environment variable of each instance. */
const largestBytes = 64 * 1024

function readAuthorities(file: string): string[] {
  const found = certificatesIn(readFileSync(file, 'utf8'))
  if (found.join('\n').length <= largestBytes) return found
  throw new Error(
    'holds more than 64 KiB of certificates; give only your own authorities, the usual ones are trusted anyway',
  )
}

/**
 * The operator's own certificate authorities, for the control plane and every instance: for npm, git, the remote of the
 * jobs repo, notices and jobs.
 */
export const certificates = definePlugin({
  name: 'certificates',
  needs: ['provisioner'],
  config: z.object({
    LONGHOUSE_CA_FILE: setting.file(readAuthorities).optional(),
  }),
  setup: ({ config: { LONGHOUSE_CA_FILE: found } }) => {
    if (!found) return {}
    trustCertificates(found)
    const variables = { LONGHOUSE_CA_CERTIFICATES: found.join('\n') }
    return { hooks: { 'instance-environment': () => ({ variables, renewed: [] }) } }
  },
})
