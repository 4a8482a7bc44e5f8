/** True for a name of the IANA time zone database that this system knows, such as `Europe/Berlin` or `UTC`. */
export function isTimezone(name: string): boolean {
  // Without asking ICU, which takes its time to wake up: most instances name no other zone.
  if (name === 'UTC') return true
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
