import type { Seal } from '../../src/storage/seal.ts'

/** What the environment says of the instance. The program reads it before the volume is open. */
export interface VolumeSettings {
  instanceId: string
  /** The instance's own address as people see it; null when it is not set. */
  publicUrl: URL | null
  /** The volume, absolute. */
  dataDir: string
  /** Whose volume it must be, as the volume says itself; null when it need not say. */
  volumeId: string | null
  host: string
  port: number
  trustedProxies: readonly string[]
  /** From the request to stop until the process is killed: a container's own period. */
  stopGraceMs: number
  /** What secrets are sealed with; null when the instance keeps a key of its own. */
  secretKey: Buffer | null
}

/** The folders of the instance's volume. */
export interface Folders {
  dir: string
  /** The jobs repo. */
  jobsDir: string
  /** One folder a compiled set of jobs. */
  buildsDir: string
  /** One log a run. */
  runsDir: string
}

/** What the instance is called and where people reach it. */
export interface Place {
  name: string
  /** Its address as people see it; null when that is not set. */
  origin: string | null
}

/** The instance's volume, and what the instance is to others. */
export interface VolumeService {
  folders: Folders
  instanceId: string
  place: Place
  /** The address for links and examples: a guess where `place.origin` is not set. */
  address: string
  /** True when people reach the instance by HTTPS. */
  https: boolean
  /** Seals what is kept in the volume's database. */
  seal: Seal
  /** How long the program may take to stop. */
  stopGraceMs: number
  /** The address of a file that pages ask for, by its plain name. */
  assetUrl(name: string): string
}

declare module '../../src/kernel/runtime.ts' {
  interface Services {
    volume: VolumeService
  }
}
