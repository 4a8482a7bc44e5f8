export const secretName = /^[A-Z][A-Z0-9_]{0,63}$/
export const secretNameRule =
  'must consist of capital letters, digits and _, at most 64, and begin with a letter'

/**
 * True for a name with a meaning to Node or the system, which would change how a run works if set as an environment
 * variable. Such a secret can be stored, but no job may declare it.
 */
export function isTakenByPrograms(name: string): boolean {
  return taken.has(name) || /^(LONGHOUSE|NODE|LD|DYLD|LC|NPM)_/.test(name)
}

const taken = new Set([
  'PATH',
  'HOME',
  'USER',
  'SHELL',
  'LANG',
  'TZ',
  'TMPDIR',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
])
