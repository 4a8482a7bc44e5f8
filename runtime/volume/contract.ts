import type { Database } from 'better-sqlite3'
import type { DiskLevel } from '../../src/storage/disk-limit.ts'
import type { Seal } from '../../src/storage/seal.ts'
import type { Brand } from '../../views/brand.tsx'

/** The environment's settings of the instance. The program reads them before the volume is open. */
export interface VolumeSettings {
  instanceId: string
  /** The instance's public address; null if it is not set. */
  publicUrl: URL | null
  /** Absolute path of the volume. */
  dataDir: string
  /** The id that the volume must carry; null if none is required. */
  volumeId: string | null
  host: string
  port: number
  trustedProxies: readonly string[]
  /** From the stop signal until the process is killed: the container's stop timeout. */
  stopGraceMs: number
  /** The key that seals secrets; null if the instance keeps its own. */
  secretKey: Buffer | null
  /** Keys that open what is sealed already: those of the instances that this one was restored from. */
  secretKeysBefore: readonly Buffer[]
  /** How much of the disk the volume may take; null for no limit. */
  diskBytes: number | null
  /** How the operator presents the site. */
  brand: Brand
}

/** The folders of the instance's volume. */
export interface Folders {
  dir: string
  /** The jobs repo. */
  jobsDir: string
  /** One folder per compiled set of jobs. */
  buildsDir: string
  /** One log per run. */
  runsDir: string
}

/** The instance's volume, with all its data. */
export interface Volume extends Folders {
  /** `longhouse.db`, for every part of the runtime. */
  sqlite: Database
  close(): void
}

/** The instance's name and address. */
export interface Place {
  name: string
  /** Its public address; null if it is not set. */
  origin: string | null
}

/** A quota by which the file system itself stops what the volume takes. */
export interface EnforcedQuota {
  bytes: number
  /** How many files and folders there may be, and are. */
  files: number
  usedFiles: number
}

/** How much of the disk the volume takes, beside its limit. */
export interface Room {
  /** Null for no limit. */
  limitBytes: number | null
  /** The newest measurement; null before the first. */
  use(): { bytes: number; at: number } | null
  level(): DiskLevel
  /** Null where the file system enforces none. */
  quota(): Promise<EnforcedQuota | null>
  /** How much is used of how much, as a sentence without its end. */
  words(): string
  /** Throws `disk-limit` when there is none left. `kept` says what did not happen, such as `Nothing was saved.` */
  require(kept: string): void
  /** Says that work is in progress that may write much. Call the result when it is over. */
  busy(): () => void
}

/** The instance's volume, name and address. */
export interface VolumeService {
  folders: Folders
  instanceId: string
  place: Place
  /** The address for links and examples: a guess if `place.origin` is not set. */
  address: string
  /** How the operator presents the site. */
  brand: Brand
  /** True if the instance is reached over HTTPS. */
  https: boolean
  /** Seals values in the volume's database. */
  seal: Seal
  /** The time limit for stopping. */
  stopGraceMs: number
  room: Room
  /** Measures the volume now. */
  measure(): Promise<void>
  /** Returns the address of an asset, by its plain name. */
  assetUrl(name: string): string
}

declare module '../../src/kernel/runtime.ts' {
  interface Services {
    volume: VolumeService
  }
  interface Events {
    /** The volume takes far more of the disk than it may. `words` says how much. */
    'disk-overfilled': { words: string }
  }
}
