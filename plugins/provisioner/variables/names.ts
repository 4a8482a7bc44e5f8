/** What the platform, Node and the system itself go by: changing it would break the instance, or take it over. */
const reserved = [
  'HOME',
  'HOSTNAME',
  'LANG',
  'NODE_CHANNEL_FD',
  'NODE_COMPILE_CACHE',
  'NODE_OPTIONS',
  'NODE_PATH',
  'PATH',
  'PWD',
  'SHELL',
  'SMTP_FROM',
  'SMTP_URL',
  'TMPDIR',
  'TZ',
  'USER',
]
const reservedBeginnings = ['LONGHOUSE_', 'LD_', 'npm_']

export const mostVariables = 50
export const longestValue = 8192

/** Returns why the operator cannot set a variable of this name, in words; null when they can. `taken` are set by the platform. */
export function nameFault(name: string, taken: readonly string[]): string | null {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,99}$/.test(name))
    return 'must be a name such as LOG_LEVEL: letters, digits and underscores, at most 100, not beginning with a digit'
  const isReserved =
    reserved.includes(name) ||
    taken.includes(name) ||
    reservedBeginnings.some(beginning => name.toUpperCase().startsWith(beginning.toUpperCase()))
  return isReserved ? `${name} is set by Longhouse and cannot be changed here` : null
}
