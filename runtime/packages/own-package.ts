import { join } from 'node:path'
import { sdkAddressesIn } from '../git/sdk-address.ts'
import type { SdkService } from '../sdk/contract.ts'
import { readText } from './files/package-files.ts'
import type { Cached } from './npm/order.ts'

const naming = ['package.json', 'package-lock.json', 'npm-shrinkwrap.json']

/**
 * The tarballs of the package `longhouse` that these files name and this instance has, at whatever address: a name
 * stands for the same content everywhere.
 */
export function ownPackages(dir: string, sdk: Pick<SdkService, 'tarball'>): Cached[] {
  return addressesIn(dir).flatMap(([url, name]) => {
    const file = sdk.tarball(name)
    return file === null ? [] : [{ url, file }]
  })
}

/** Why npm, which printed this, could not get the package: only another instance could have it. Null otherwise. */
export function otherPackageInWords(
  dir: string,
  output: string,
  sdk: Pick<SdkService, 'tarball' | 'address'>,
): string | null {
  const other = addressesIn(dir).find(([url, name]) => sdk.tarball(name) === null && output.includes(url))
  if (!other) return null
  const here =
    sdk.address === null ? '' : ` Name the package of this instance: npm install --save-dev ${sdk.address}`
  return `package.json names the package longhouse at ${other[0]}, which is not of this instance.${here}`
}

function addressesIn(dir: string): [url: string, name: string][] {
  return [...new Map(naming.flatMap(name => [...sdkAddressesIn(readText(join(dir, name)) ?? '')]))]
}
