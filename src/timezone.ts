/** True for a name of the IANA time zone database that this system knows, such as `Europe/Berlin` or `UTC`. */
export function isTimezone(name: string): boolean {
  // Without ICU, which is slow to load: most instances use no other zone.
  if (name === 'UTC') return true
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    // Slots are computed by Temporal, which knows fewer names than Intl; pages use both.
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name)
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** Returns what is wrong with the name of a zone, and what to write instead; null if it is valid. */
export function timezoneFault(name: string): string | null {
  if (isTimezone(name)) return null
  const meant = placesMeant(name)
  const words = `"${name}" is not a time zone`
  return meant
    ? `${words}: it stands for several, or for half a year only; use the name of a place, such as ${meant}`
    : `${words}; use a name such as Europe/Berlin or UTC`
}

/** Describes the zones that an abbreviation such as `PST` may mean; null if it is none. */
export function placesMeant(name: string): string | null {
  return abbreviations[name.toUpperCase()] ?? null
}

/** Places for common abbreviations, which Intl accepts and Temporal does not. */
const abbreviations: Readonly<Record<string, string>> = {
  ACT: 'Australia/Darwin',
  AET: 'Australia/Sydney',
  AGT: 'America/Argentina/Buenos_Aires',
  ART: 'Africa/Cairo or America/Argentina/Buenos_Aires',
  AST: 'America/Halifax or Asia/Riyadh',
  BET: 'America/Sao_Paulo',
  BST: 'Europe/London or Asia/Dhaka',
  CAT: 'Africa/Maputo',
  CDT: 'America/Chicago',
  CEST: 'Europe/Berlin or Europe/Paris',
  CNT: 'America/St_Johns',
  CST: 'America/Chicago or Asia/Shanghai',
  CTT: 'Asia/Shanghai',
  EAT: 'Africa/Nairobi',
  ECT: 'America/Guayaquil or Europe/Paris',
  EDT: 'America/New_York',
  IET: 'America/Indiana/Indianapolis',
  IST: 'Asia/Kolkata, Asia/Jerusalem or Europe/Dublin',
  JST: 'Asia/Tokyo',
  MDT: 'America/Denver',
  MIT: 'Pacific/Apia',
  MSK: 'Europe/Moscow',
  NET: 'Asia/Yerevan',
  NST: 'America/St_Johns or Pacific/Auckland',
  PDT: 'America/Los_Angeles',
  PLT: 'Asia/Karachi',
  PNT: 'America/Phoenix',
  PRT: 'America/Puerto_Rico',
  PST: 'America/Los_Angeles or Asia/Manila',
  SST: 'Pacific/Guadalcanal or Pacific/Pago_Pago',
  VST: 'Asia/Ho_Chi_Minh',
  WEST: 'Europe/Lisbon',
}
