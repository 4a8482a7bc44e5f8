import { execFileSync } from 'node:child_process'
import { createCipheriv, createDecipheriv, createHash, randomBytes, scryptSync } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface KeyFile {
  N: number
  r: number
  p: number
  salt: string
  data: string
}

/**
 * Makes a restic store, and its password, in the folder of a control plane's own files. Its password is cheap to check: restic derives a
 * key from it at each start, which takes a third of a second so that no one can guess passwords, and tests start it a thousand times.
 */
export function makeQuickStore(control: string): void {
  const [repository, passwordFile] = [join(control, 'backups'), join(control, 'backup-password')]
  const password = 'the password of a test'
  mkdirSync(repository, { recursive: true, mode: 0o700 })
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 })
  execFileSync('restic', ['init', '--repo', repository, '--password-file', passwordFile, '--no-cache'], {
    stdio: 'pipe',
  })
  const folder = join(repository, 'keys')
  const [name = ''] = readdirSync(folder)
  const key = JSON.parse(readFileSync(join(folder, name), 'utf8')) as KeyFile
  const cheap = { ...key, N: 2, r: 1, p: 1, salt: randomBytes(64).toString('base64') }
  const text = JSON.stringify({ ...cheap, data: seal(cheap, password, open(key, password)) })
  rmSync(join(folder, name), { force: true })
  writeFileSync(join(folder, createHash('sha256').update(text).digest('hex')), text, { mode: 0o400 })
}

/** What restic's design document calls the encryption key and the two halves of the authentication key. */
function derived({ N, r, p, salt }: KeyFile, password: string) {
  const bytes = scryptSync(password, Buffer.from(salt, 'base64'), 64, { N, r, p, maxmem: 2 ** 30 })
  return { encrypt: bytes.subarray(0, 32), k: bytes.subarray(32, 48), r: bytes.subarray(48) }
}

function open(key: KeyFile, password: string): Buffer {
  const data = Buffer.from(key.data, 'base64')
  const cipher = createDecipheriv('aes-256-ctr', derived(key, password).encrypt, data.subarray(0, 16))
  return cipher.update(data.subarray(16, -16))
}

function seal(key: KeyFile, password: string, plain: Buffer): string {
  const { encrypt, k, r } = derived(key, password)
  const nonce = randomBytes(16)
  const sealed = createCipheriv('aes-256-ctr', encrypt, nonce).update(plain)
  const s = createCipheriv('aes-128-ecb', k, null).setAutoPadding(false).update(nonce)
  return Buffer.concat([nonce, sealed, poly1305(sealed, r, s)]).toString('base64')
}

/** The authenticator of Bernstein's Poly1305-AES; `s` is the encrypted nonce. */
function poly1305(message: Buffer, r: Buffer, s: Buffer): Buffer {
  const number = (bytes: Buffer) => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
  const factor = number(r) & 0x0ffffffc0ffffffc0ffffffc0fffffffn
  let sum = 0n
  for (let at = 0; at < message.length; at += 16) {
    const piece = message.subarray(at, at + 16)
    sum = ((sum + number(piece) + (1n << BigInt(8 * piece.length))) * factor) % ((1n << 130n) - 5n)
  }
  const tag = ((sum + number(s)) % (1n << 128n)).toString(16).padStart(32, '0')
  return Buffer.from(tag, 'hex').reverse()
}
