import type { VolumeWork } from './contract.ts'

export const driverNames = ['docker', 'process'] as const
export type DriverName = (typeof driverNames)[number]

/** What one instance is to be: everything that a container is made from. */
export interface InstanceSpec {
  id: string
  subdomain: string
  ownerEmail: string
  /** The image's name, for people and for fetching it. */
  image: string
  /** The image that this instance is pinned to, whatever its name means by now; null while none is. */
  imageId: string | null
  /** The volume's folder on the host, absolute; it becomes the instance's data folder. */
  volume: string
  /** In PHC format; the control plane never keeps the password itself. */
  passwordHash: string
  /** The instance's own address as people see it. */
  publicUrl: string
  /** The zone of jobs that name none. */
  timezone: string
  /** How long it may take to stop by itself, so that runs in progress can end. */
  stopGraceMs: number
  /** What it may take of the host; null for what every instance may. */
  limits: { memoryBytes: number; cpus: number } | null
  /** How many processes and threads it may have; without it, what every instance may. */
  pids?: number
  /** More environment variables for the instance's program, whatever the driver. */
  environment: Readonly<Record<string, string>>
}

/** How an instance is named to its driver. */
export type InstanceRef = Pick<InstanceSpec, 'id' | 'subdomain'>

/** Work of the runtime's program for copies on one folder of the host: see `runtime/copy/main.ts`. */
export interface FolderWork extends VolumeWork {
  /** The image with the program, by name. */
  image: string
}

/** What a driver sees of one instance. */
export interface Observed {
  state: 'absent' | 'running' | 'stopped'
  /** Where it listens, from where the control plane stands; null when it does not run. */
  address: { host: string; port: number } | null
  /** The image that its container was made from; null without one. */
  imageId: string | null
}

/** What an instance that runs takes of the host at one moment. */
export interface Used {
  instanceId: string
  /** The processor time of all its processes since it was started, in milliseconds. */
  processorMs: number
  /** Without the files that the kernel keeps in memory only because there is room. */
  memoryBytes: number
  /** Processes, or processes and threads together where the limit counts those. */
  processes: number
  /** When it was started; null when that could not be learned. */
  startedAt: number | null
}

/** One line that an instance's program wrote. */
export interface LogEntry {
  /** Null when that is not known. */
  at: number | null
  stream: 'out' | 'err'
  text: string
  /** It goes on, and how is not known: it is longer than what is kept of a line, or is not ended yet. */
  isCut?: boolean
}

/** Which lines of a log are wanted. */
export interface LogWindow {
  since: number | null
  until: number | null
  /** So many of the newest at most; null for all that are kept. */
  tail: number | null
  /** Goes on with each new line, until the instance ends. */
  follow: boolean
}

/** An image of Longhouse on the engine. */
export interface HostImage {
  id: string
  /** What is in it; instances are made from the runtime. */
  program: 'runtime' | 'control-plane'
  /** Its names; none when newer images took them. */
  tags: readonly string[]
  /** With the layers that it shares with others. */
  bytes: number
  createdAt: number
  /** The names of the containers that are made from it, whosever they are. */
  containers: readonly string[]
}

/** Something that a driver made for its own work, and that nothing uses any more. */
export interface Leftover {
  kind: 'container' | 'network'
  /** The engine's own id of it. */
  id: string
  name: string
  /** A process of it may be alive. */
  active: boolean
  createdAt: number | null
  /** Why nothing needs it, in words for the operator. */
  why: string
}

/** What an engine has; null for what it does not report. */
export interface Capacity {
  /** The container runtimes that it knows, by name; left out where it does not say. */
  runtimes?: readonly string[]
  cpus: number | null
  memoryBytes: number | null
}

/**
 * What creates instances. Every call is idempotent and may be repeated after a crash at any point: it brings about
 * what it names, or throws a DriverError.
 */
export interface Driver {
  readonly name: DriverName
  /** Shown at boot and on pages when this driver does less than a customer may expect; else null. */
  readonly warning: string | null
  /** Whether instances keep running when the control plane ends: containers do, child processes do not. */
  readonly outlivesControlPlane: boolean
  /** Whether instances are made from images, which can be chosen and replaced. */
  readonly usesImages: boolean
  /** The settings that every instance gets: an instance made with others has to be restarted to get these. */
  readonly settings: Readonly<Record<string, unknown>>
  /** Throws in words when the driver cannot work now. */
  ping(): Promise<void>
  /** Makes the volume's folder and gives it to the user that the instance runs as. Deletes and overwrites nothing. */
  prepareVolume(spec: Pick<InstanceSpec, 'volume'>): Promise<void>
  /** The id of what an image's name means now, without fetching it; null when it is not there, or there are no images. */
  findImage(image: string): Promise<string | null>
  /** Whether an image that is there, by its id, is Longhouse's runtime or built on it, by its label. True where there are none. */
  isRuntime(imageId: string): Promise<boolean>
  /**
   * Makes sure that the image is there: the one that the spec is pinned to, or what the name means now. Its id; null when
   * instances are not made from images.
   */
  prepareImage(spec: InstanceSpec): Promise<string | null>
  /**
   * Makes sure that a container of this spec can take the place of the one that is there, and leaves that one alone, however
   * it fails. Where there is none, there is nothing to do.
   */
  prepareSuccessor(spec: InstanceSpec): Promise<void>
  /**
   * Makes sure that a container of exactly this spec exists, and that it is the only one of the instance. One of another
   * spec is stopped and replaced, once its successor is there.
   */
  create(spec: InstanceSpec): Promise<void>
  start(ref: InstanceRef): Promise<void>
  /** Asks it to stop, and kills it after `graceMs`. */
  stop(ref: InstanceRef, graceMs: number): Promise<void>
  /** Removes the container and leaves the volume alone. */
  remove(ref: InstanceRef): Promise<void>
  /** Observes an instance, within seconds. `absent` only when that is certain. */
  inspect(ref: InstanceRef): Promise<Observed>
  /**
   * Measures every instance of a data root that runs; one that cannot be measured is left out. `restMs` is how long to wait
   * before the next round, so that measuring takes little of the host. Throws when it cannot list them.
   */
  measure(dataRoot: string, signal: AbortSignal): Promise<{ used: Used[]; restMs: number }>
  /** How often the engine restarted the instance by itself since it was started. */
  restarts(ref: InstanceRef): Promise<number>
  /** Throws unless it is certain that no process of the instance runs. */
  refuseRunning(ref: InstanceRef): Promise<void>
  /** Throws unless it is certain that nothing uses a volume. Called before a volume is deleted. */
  refuseInUse(spec: Pick<InstanceSpec, 'id' | 'volume'>): Promise<void>
  /**
   * Works on a folder with the rights of an instance, without a network and behind the jobs of all instances. The instance of
   * the volume may be running. Resolves with what the program reports, in JSON; throws a DriverError with its words, or with
   * what it waited for when nothing moved for an hour.
   */
  workOnFolder(work: FolderWork): Promise<unknown>
  /** Lists the containers of this data root, whatever the records say. */
  existing(dataRoot: string): Promise<
    {
      instanceId: string
      container: string
      active: boolean
      /** The engine's own id of it; left out where it cannot be discarded. */
      id?: string
      createdAt?: number
    }[]
  >
  /** Stops and removes one container of this data root, by the engine's id, and leaves the volume alone. */
  discard(dataRoot: string, id: string): Promise<void>
  /** What was made for this data root beside instances, and nothing uses any more. */
  leftovers(dataRoot: string): Promise<Leftover[]>
  /** Removes one of them, by the engine's id. Throws in words when something uses it by now. */
  discardLeftover(dataRoot: string, id: string): Promise<void>
  /** The images of Longhouse on the engine; none where instances are not made from images. */
  images(): Promise<HostImage[]>
  /** Removes an image with all its tags. Throws, in the engine's words, while a container or another image needs it. */
  removeImage(image: Pick<HostImage, 'id' | 'tags'>): Promise<void>
  /** How many addresses the network of the instances has and gives; null where there is none, or none yet. */
  addresses(): Promise<{ used: number; total: number } | null>
  /** Returns what instances share: the engine's processors and memory. */
  capacity(): Promise<Capacity>
  /**
   * The lines that the instance's program wrote, oldest first, as they are asked for: a reader that pauses holds the next
   * ones up. Ends when `signal` aborts. Throws a DriverError when the log cannot be read.
   */
  log(ref: InstanceRef, window: LogWindow, signal: AbortSignal): AsyncIterable<LogEntry>
  /** Releases what the driver holds. The process driver stops its instances; containers go on. */
  close(): Promise<void>
}

/**
 * Says what failed in words for an operator, and whether a retry can help: `transient` when it can at once (the engine did not
 * answer), `permanent` when it cannot until something changes (no such image).
 */
export class DriverError extends Error {
  readonly permanent: boolean
  readonly transient: boolean
  /** Of the system, such as `ENOSPC`, or `folderFinding`. */
  readonly code: string | undefined
  /** Whether the last lines that the instance wrote say more. */
  readonly hasLog: boolean

  constructor(
    message: string,
    options: { permanent: boolean; transient?: boolean; cause?: unknown; code?: string; hasLog?: boolean },
  ) {
    super(message, { cause: options.cause })
    this.name = 'DriverError'
    this.permanent = options.permanent
    this.transient = options.transient ?? false
    this.code = options.code
    this.hasLog = options.hasLog ?? false
  }
}
