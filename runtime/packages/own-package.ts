import { join } from 'node:path'
import { sdkAddressesIn } from '../git/sdk-address.ts'
import type { SdkService } from '../sdk/contract.ts'
import type { Cached } from './npm-order.ts'
import { readText } from './package-files.ts'

const naming = ['package.json', 'package-lock.json', 'npm-shrinkwrap.json']

/**
 * The tarballs of the package `longhouse` that these files name and this instance has, at whatever address: a name
 * stands for the same content everywhere.
 */
export function ownPackages(dir: string, sdk: Pick<SdkService, 'tarball'>): Cached[] {
  const addresses = new Map(naming.flatMap(name => [...sdkAddressesIn(readText(join(dir, name)) ?? '')]))
  return [...addresses].flatMap(([url, name]) => {
    const file = sdk.tarball(name)
    return file === null ? [] : [{ url, file }]
  })
}
