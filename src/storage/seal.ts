import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'

/**
 * Encrypts with AES-256-GCM under a key of this program. `purpose` names what is sealed, and is needed to open it, so
 * a sealed text copied to another row does not open there.
 */
export interface Seal {
  seal(plain: string, purpose: string): string
  /** Null if it was sealed with a missing key, or was changed. */
  open(sealed: string, purpose: string): string | null
}

export const keyBytes = 32
const ivBytes = 12
const tagBytes = 16

/**
 * `given` is the key of the control plane, if there is one. Otherwise a key is created at first use and kept in
 * `keyFile`, readable by its owner alone. Values sealed with the file's key still open after a key is given.
 */
export function openSeal({
  given,
  earlier = [],
  keyFile,
}: {
  given: Buffer | null
  /** Keys that open values and seal none. */
  earlier?: readonly Buffer[]
  keyFile: string
}): Seal {
  const kept = once(() => readKey(keyFile))
  const own = () => given ?? kept() ?? makeKey(keyFile)
  const keyOf = (id: string): Buffer | null =>
    [given, kept(), ...earlier].find(key => key !== null && idOf(key) === id) ?? null

  return {
    seal: (plain, purpose) => {
      const key = own()
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(purpose))
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return `1.${idOf(key)}.${Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url')}`
    },
    open: (sealed, purpose) => {
      const [version, id = '', data = ''] = sealed.split('.')
      const key = keyOf(id)
      if (version !== '1' || key === null) return null
      const bytes = Buffer.from(data, 'base64url')
      if (bytes.length < ivBytes + tagBytes) return null
      const iv = bytes.subarray(0, ivBytes)
      const opened = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes })
        .setAAD(Buffer.from(purpose))
        .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes))
      try {
        const start = opened.update(bytes.subarray(ivBytes + tagBytes))
        return Buffer.concat([start, opened.final()]).toString('utf8')
      } catch {
        return null
      }
    },
  }
}

/** Parses a key: 32 bytes in base64; null if it is invalid. */
export function parseKey(text: string): Buffer | null {
  const key = Buffer.from(text.trim(), 'base64')
  return key.length === keyBytes && /^[A-Za-z0-9+/_-]{43}=?$/.test(text.trim()) ? key : null
}

/** The key in a file of this program alone, 32 bytes; made at the first use. */
export function keyInFile(file: string): Buffer {
  return readKey(file) ?? makeKey(file)
}

/** Identifies a key without revealing it. */
function idOf(key: Buffer): string {
  return createHash('sha256').update('longhouse secret key').update(key).digest('base64url').slice(0, 8)
}

/** Caches the first answer that is not null. */
function once<T>(ask: () => T | null): () => T | null {
  let known: T | null = null
  return () => {
    known ??= ask()
    return known
  }
}

function readKey(file: string): Buffer | null {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  const key = parseKey(text)
  if (!key) throw new Error(`${file} holds no key; put the one back that was there, or remove the file`)
  return key
}

/** Never a partial key under that name, and never in place of an existing one. */
function makeKey(file: string): Buffer {
  const draft = `${file}.${process.pid}.tmp`
  rmSync(draft, { force: true })
  const handle = openSync(draft, 'wx', 0o600)
  try {
    writeSync(handle, `${randomBytes(keyBytes).toString('base64')}\n`)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  try {
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
  const key = readKey(file)
  if (!key) throw new Error(`${file} cannot be read`)
  return key
}
