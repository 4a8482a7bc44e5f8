import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../../src/log.ts'
import { isTarballName } from '../git/sdk-address.ts'
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
  return {
    path,
    address: origin && `${origin}${path}`,
    tarball: name => {
      if (!isTarballName(name)) return null
      // The kept one first: it is what clients have the hash of.
      return [join(kept, name), join(built, name)].find(file => existsSync(file)) ?? null
    },
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
