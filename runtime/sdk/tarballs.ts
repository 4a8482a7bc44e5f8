import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../../src/log.ts'
import { readRegular } from '../../src/storage/regular-file.ts'
import { isTarballName, sdkAddressesIn } from '../git/sdk-address.ts'
import type { SdkService } from './contract.ts'

/**
 * The tarballs of the package: the one of this program, which `built` holds, and those in `kept`. What was served once
 * stays as it was, byte for byte, because lockfiles name its hash.
 */
export function openTarballs(options: {
  built: string
  kept: string
  origin: string | null
  log: Logger
}): SdkService {
  const { built, kept, origin, log } = options
  const current = readdirSync(built).find(isTarballName)
  if (current === undefined) throw new Error(`there is no package longhouse in ${built}`)
  const path = `/sdk/${current}`
  const tarball = (name: string) => {
    if (!isTarballName(name)) return null
    // The kept one first: it is what clients have the hash of.
    return [join(kept, name), join(built, name)].find(file => existsSync(file)) ?? null
  }
  return {
    path,
    address: origin && `${origin}${path}`,
    namedIn: jobsDir => {
      const text = readRegular(join(jobsDir, 'package.json'), 1024 * 1024)?.toString('utf8') ?? ''
      const [found] = sdkAddressesIn(text)
      if (!found) return 'none'
      const [url, name] = found
      if (origin === null || new URL(url).origin !== origin) return 'elsewhere'
      if (name === current) return 'current'
      return tarball(name) === null ? 'lacks' : 'older'
    },
    tarball,
    keep: () => {
      const file = join(kept, current)
      if (existsSync(file)) return
      try {
        mkdirSync(kept, { recursive: true })
        copyFileSync(join(built, current), `${file}.new`)
        renameSync(`${file}.new`, file)
      } catch (error) {
        // A full disk: it is served from the program as long as that has it.
        log.warn({ err: error }, 'the package longhouse could not be kept in the volume')
      }
    },
  }
}
