export const secretName = /^[A-Z][A-Z0-9_]{0,63}$/
export const secretNameRule =
  'must consist of capital letters, digits and _, at most 64, and begin with a letter'

/**
 * True for a name that means something to Node or the system, so that a run which got it as an environment variable
 * would work differently: such a secret can be kept, and no job may declare it.
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
