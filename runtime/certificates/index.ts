import { z } from 'zod'
import { certificatesIn } from '../../src/certificates.ts'
import { definePlugin } from '../../src/kernel/runtime.ts'
import '../volume/contract.ts'
import { trust } from './trust.ts'

/** The operator's own certificate authorities, for the runtime and all that it starts. */
export const certificates = definePlugin({
  name: 'certificates',
  needs: ['volume'],
  config: z.object({
    /** In PEM form; the control plane hands on what its `LONGHOUSE_CA_FILE` holds. */
    LONGHOUSE_CA_CERTIFICATES: z
      .string()
      .transform((text, context) => {
        try {
          return certificatesIn(text)
        } catch (error) {
          context.addIssue({ code: 'custom', message: (error as Error).message })
          return z.NEVER
        }
      })
      .optional(),
  }),
  setup: ({ config, services: { volume } }) => {
    const stop = trust(volume.folders.dir, config.LONGHOUSE_CA_CERTIFICATES ?? [])
    return { stop }
  },
})
