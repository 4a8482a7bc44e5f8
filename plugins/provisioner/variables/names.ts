/** What the platform and the system itself go by: changing it would break the instance, or take it over. */
const reserved = [
  'BASH_ENV',
  'ENV',
  'GCONV_PATH',
  'HOME',
  'HOSTNAME',
  'LANG',
  'LOCPATH',
  'PATH',
  'PWD',
  'SHELL',
  'SMTP_FROM',
  'SMTP_URL',
  'TMPDIR',
  'TZ',
  'USER',
]

/** Names that begin so belong to a program that every instance runs: they can load code into it, or switch its checks off. */
const families: readonly (readonly [beginning: string, owner: string])[] = [
  ['LONGHOUSE_', 'Longhouse'],
  ['NODE_', 'Node'],
  ['NPM_', 'npm'],
  ['LD_', 'the system’s loader'],
  ['GLIBC_', 'the system’s library'],
  ['OPENSSL_', 'OpenSSL'],
  ['SSL_CERT_', 'OpenSSL'],
  ['GIT_', 'git'],
  ['CURL_', 'curl'],
  ['__', 'the language and the system'],
]

export const mostVariables = 50
export const longestValue = 8192

/** Returns why the operator cannot set a variable of this name, in words; null when they can. `taken` are set by the platform. */
export function nameFault(name: string, taken: readonly string[]): string | null {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,99}$/.test(name))
    return 'must be a name such as LOG_LEVEL: letters, digits and underscores, at most 100, not beginning with a digit'
  const family = families.find(([beginning]) => name.toUpperCase().startsWith(beginning))
  if (family) return `${name} cannot be set here: names that begin with ${family[0]} belong to ${family[1]}`
  const isReserved = reserved.includes(name) || taken.includes(name)
  return isReserved ? `${name} is set by Longhouse and cannot be changed here` : null
}
