import { z } from 'zod'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import '../site/contract.ts'
import { certificateFiles } from './files.ts'

/** HTTPS of our own: the certificates that the listener shows. */
export const tls = definePlugin({
  name: 'tls',
  needs: ['site'],
  config: z
    .object({
      TLS_MODE: z.string().optional(),
      TLS_CERTIFICATE_FILES: z.string().prefault(''),
      TLS_KEY_FILES: z.string().prefault(''),
    })
    .transform((env, context) => ({ files: certificateFiles(env, context) })),
  setup({ config: { files }, services: { site } }) {
    if (!site.tls) return {}
    const certificates = { files, folder: null, fallback: `control.${site.domain}` }
    return { hooks: { 'certificate-source': () => ({ certificates, challenges: null }) } }
  },
})
