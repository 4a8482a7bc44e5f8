import { z } from 'zod'
import { timestamp } from '../../src/clock.ts'

/** Packages as they were installed once, for one lockfile. */
export interface Installation {
  name: string
  /** `node_modules` of the jobs repo leads to it. */
  current: boolean
  bytes: number
  installedAt: number
}

/** What lies on the disk, and how much of it there may be. */
export interface KeptPackages {
  /** The current packages, and those that a set of jobs or a run was loaded with. */
  kept: readonly Installation[]
  /** What npm downloaded, and keeps for the next installation. */
  cacheBytes: number
  /** How many are kept at most, how large each may be, and what the downloads may take. */
  limits: { kept: number; bytes: number; cacheBytes: number }
}

/** The installations on the disk, as the API shows them. */
export const keptPackagesShape = z
  .object({
    kept: z.array(
      z.object({
        name: z.string(),
        current: z.boolean().meta({ description: 'Whether node_modules leads to it' }),
        bytes: z.int(),
        installed_at: z.iso.datetime().nullable(),
      }),
    ),
    bytes: z.int().meta({ description: 'The size of all of them' }),
    most_kept: z.int().meta({ description: 'How many are kept at most' }),
    limit_bytes: z.int().meta({ description: 'How large each may be' }),
    cache_bytes: z.int().meta({ description: 'The size of what npm downloaded and keeps' }),
    cache_limit_bytes: z.int().meta({ description: 'How much of that is kept at most' }),
  })
  .meta({
    description:
      'The installed packages on the disk: the current ones, and those that the live jobs or a run were loaded with',
  })

export function keptPackagesJson({
  kept,
  cacheBytes,
  limits,
}: KeptPackages): z.input<typeof keptPackagesShape> {
  return {
    kept: kept.map(({ installedAt, ...each }) => ({ ...each, installed_at: timestamp(installedAt) })),
    bytes: kept.reduce((sum, { bytes }) => sum + bytes, 0),
    most_kept: limits.kept,
    limit_bytes: limits.bytes,
    cache_bytes: cacheBytes,
    cache_limit_bytes: limits.cacheBytes,
  }
}
