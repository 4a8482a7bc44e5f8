/** Where an instance serves the npm package `longhouse`, as `package.json` and lockfiles name it. */
const address = /https?:\/\/[^/\s"']+\/sdk\/(longhouse-[0-9A-Za-z.-]+\.tgz)/g

/** True for the file name of a tarball of the package. */
export function isTarballName(name: string): boolean {
  return /^longhouse-\d[0-9A-Za-z.-]*\.tgz$/.test(name)
}

/** The addresses of the package in a text, each with its file name. */
export function sdkAddressesIn(text: string): Map<string, string> {
  return new Map([...text.matchAll(address)].map(([url, name = '']) => [url, name]))
}

/** The line by which the starter's `package.json` names the package, first among the packages for development. */
const line = /^ {4}"longhouse": "([^"\n]*)",\n/m

/** The starter's `package.json` with the package; without an address, it stays as it is. */
export function withSdk(packageJson: string, url: string | null): string {
  if (url === null) return packageJson
  return packageJson.replace('  "devDependencies": {\n', before => `${before}    "longhouse": "${url}",\n`)
}

/** The address that `withSdk` put into a `package.json`; null if there is none. */
export function sdkOf(packageJson: string): string | null {
  const url = line.exec(packageJson)?.[1] ?? ''
  return sdkAddressesIn(url).has(url) ? url : null
}
