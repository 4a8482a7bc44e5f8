import { hkdfSync, randomBytes } from 'node:crypto'
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { BootError } from '../../../src/boot-error.ts'
import { keyBytes, parseKey } from '../../../src/storage/seal.ts'

/**
 * What each instance seals its secrets with: a key of its own, made from one key of the control plane, which no
 * instance ever sees. A volume, or a backup of one, opens no secret without it.
 */
export interface SecretKeys {
  /** 32 bytes in base64; always the same for the same instance. */
  of(instanceId: string): string
}

const rule = 'must be 32 random bytes in base64: openssl rand -base64 32'

export const secretKeysConfig = z.object({
  INSTANCE_SECRETS_KEY: z
    .string()
    .refine(text => parseKey(text) !== null, rule)
    .optional(),
})

/** The operator's key, or else the one that the first start made and keeps in a 0600 `file`. */
export function loadSecretKeys(
  { INSTANCE_SECRETS_KEY: given }: z.output<typeof secretKeysConfig>,
  file: string,
): SecretKeys {
  const key = (given === undefined ? null : parseKey(given)) ?? readKey(file) ?? makeKey(file)
  return {
    of: instanceId =>
      Buffer.from(hkdfSync('sha256', key, '', `longhouse instance secrets ${instanceId}`, keyBytes)).toString(
        'base64',
      ),
  }
}

function readKey(file: string): Buffer | null {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new BootError([`INSTANCE_SECRETS_KEY: cannot read ${file}: ${(error as Error).message}`])
  }
  const key = parseKey(text)
  if (key) return key
  // Another key in its place would leave every instance with secrets that do not open.
  throw new BootError([`INSTANCE_SECRETS_KEY: ${file} holds no key; put back what was there (it ${rule})`])
}

function makeKey(file: string): Buffer {
  const key = randomBytes(keyBytes)
  const draft = `${file}.new`
  try {
    // Whole or not at all: a start that is killed here must not leave half a key to the next one.
    rmSync(draft, { force: true })
    writeFileSync(draft, `${key.toString('base64')}\n`, { mode: 0o600, flush: true })
    linkSync(draft, file)
    rmSync(draft, { force: true })
  } catch (error) {
    throw new BootError([`INSTANCE_SECRETS_KEY: cannot write ${file}: ${(error as Error).message}`])
  }
  return key
}
