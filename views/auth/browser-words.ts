const browsers: readonly [RegExp, string][] = [
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\b(OPR|Opera)\//, 'Opera'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chrome|CriOS|Chromium|HeadlessChrome)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
  [/^curl\//, 'curl'],
]
const systems: readonly [RegExp, string][] = [
  [/\b(iPhone|iPad)\b/, 'iOS'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
]

/** Names a browser and its system, from its User-Agent: `Firefox on Linux`. */
export function browserWords(userAgent: string): string {
  const named = (list: readonly [RegExp, string][]) => list.find(([form]) => form.test(userAgent))?.[1]
  const browser = named(browsers) ?? 'An unknown browser'
  const system = named(systems)
  return system ? `${browser} on ${system}` : browser
}
