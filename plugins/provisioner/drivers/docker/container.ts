import { createHash } from 'node:crypto'
import type { ContainerCreateOptions } from 'dockerode'
import type { InstanceRef, InstanceSpec } from '../../driver.ts'

/** What one instance may take of the host. */
export interface InstanceLimits {
  memoryBytes: number
  /** In cores; fractions are allowed. */
  cpus: number
  /** Processes and threads together. */
  pids: number
}

export const labelReaders = ['caddy', 'traefik'] as const
/** A proxy that finds its routes in the labels of containers. */
export type LabelReader = (typeof labelReaders)[number]

export interface ContainerSettings {
  /** `port` publishes on the host's loopback for our own router; `labels` leaves routing to proxies that read them. */
  mode: 'port' | 'labels'
  /** The proxies that labels are for; without it, caddy-docker-proxy. */
  labelsFor?: readonly LabelReader[]
  network: string
  /** Instances live at `<subdomain>.<domain>`. */
  domain: string
  limits: InstanceLimits
  /** Who the instance runs as. */
  user: { uid: number; gid: number }
  /** The engine's runtime for containers, such as `runsc`; its default when left out. */
  runtime?: string
  /** Addresses and ranges whose `X-Forwarded-*` the instance believes. */
  trustedProxies: readonly string[]
}

/** Where the runtime listens inside its container. */
export const instancePort = 8080

export const label = {
  instance: 'longhouse.instance',
  subdomain: 'longhouse.subdomain',
  owner: 'longhouse.owner',
  image: 'longhouse.image',
  spec: 'longhouse.spec',
} as const

/**
 * Where clouds tell a machine its credentials: AWS and most others, tasks and pods at AWS, its resolver and clock,
 * Scaleway. An instance has these addresses itself, so that what asks them asks the instance; and the rest of
 * 169.254.0.0/16 with them is its own segment, which is routed nowhere. The engine sets this up before it starts the
 * container, each time, and the instance needs no rights for it.
 */
const closedAddresses = [
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '169.254.169.253',
  '169.254.169.123',
  '169.254.42.42',
] as const

export function containerName(ref: Pick<InstanceRef, 'subdomain'>): string {
  return `longhouse-${ref.subdomain}`
}

/** What waits to take the container's place: a dot is in no subdomain. */
export function successorName(ref: Pick<InstanceRef, 'subdomain'>): string {
  return `${containerName(ref)}.next`
}

/** The container that an instance is to be, made from the image with this id whatever the image's name means by now. */
export function containerOptions(
  spec: InstanceSpec,
  settings: ContainerSettings,
  imageId: string,
): ContainerCreateOptions & { Labels: Record<string, string> } {
  const { user, network } = settings
  const limits = { ...settings.limits, ...spec.limits }
  const port = `${instancePort}/tcp`
  const options = {
    Hostname: spec.subdomain,
    Image: imageId,
    User: `${user.uid}:${user.gid}`,
    Env: environment(spec, settings),
    ExposedPorts: { [port]: {} },
    StopTimeout: Math.ceil(spec.stopGraceMs / 1000),
    // The image's own check, for people who look at docker ps, but rarely: each costs a tenth of a second of a core, and
    // the control plane looks for itself.
    Healthcheck: hasReader(settings, 'traefik')
      ? // Traefik routes to no container before its check has passed, which would be after the interval.
        { Test: ['NONE'] }
      : { Interval: 5 * 60 * 1e9 },
    HostConfig: {
      Mounts: [{ Type: 'bind' as const, Source: spec.volume, Target: '/data' }],
      NetworkMode: network,
      ...(settings.mode === 'port' && { PortBindings: { [port]: [{ HostIp: '127.0.0.1', HostPort: '' }] } }),
      ReadonlyRootfs: true,
      // Jobs may unpack programs there, and could run them from the volume anyway, hence exec.
      Tmpfs: { '/tmp': 'rw,exec,nosuid,nodev,size=64m,mode=1777' },
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Init: true,
      ...(settings.runtime !== undefined && { Runtime: settings.runtime }),
      Memory: limits.memoryBytes,
      MemorySwap: limits.memoryBytes,
      NanoCpus: Math.round(limits.cpus * 1e9),
      PidsLimit: spec.pids ?? limits.pids,
      // Under memory pressure of the whole host, an instance goes before the engine and the control plane.
      OomScoreAdj: 500,
      LogConfig: { Type: 'json-file' as const, Config: { 'max-size': '10m', 'max-file': '2' } },
      RestartPolicy: { Name: 'unless-stopped' },
    },
    NetworkingConfig: {
      EndpointsConfig: { [network]: { IPAMConfig: { LinkLocalIPs: [...closedAddresses] } } },
    },
    Labels: labels(spec, settings),
  }
  // The image's name is for people; another name for the same image makes no other container.
  const marks = { [label.image]: spec.image, [label.spec]: specHash(options) }
  return { ...options, Labels: { ...options.Labels, ...marks } }
}

/** Nothing of the control plane's own environment: it holds secrets that are none of an instance's business. */
function environment(spec: InstanceSpec, settings: ContainerSettings): string[] {
  return Object.entries({
    LONGHOUSE_INSTANCE_ID: spec.id,
    LONGHOUSE_PUBLIC_URL: spec.publicUrl,
    LONGHOUSE_TIMEZONE: spec.timezone,
    ...spec.environment,
    LONGHOUSE_DATA_DIR: '/data',
    LONGHOUSE_HOST: '0.0.0.0',
    LONGHOUSE_PORT: String(instancePort),
    LONGHOUSE_PASSWORD: spec.passwordHash,
    LONGHOUSE_TRUSTED_PROXIES: settings.trustedProxies.join(','),
  }).map(([name, value]) => `${name}=${value}`)
}

function labels(spec: InstanceSpec, settings: ContainerSettings): Record<string, string> {
  return {
    [label.instance]: spec.id,
    [label.subdomain]: spec.subdomain,
    [label.owner]: spec.ownerEmail,
    ...(hasReader(settings, 'caddy') && {
      caddy: `${spec.subdomain}.${settings.domain}`,
      'caddy.reverse_proxy': `{{upstreams ${instancePort}}}`,
    }),
    ...(hasReader(settings, 'traefik') && traefikLabels(spec, settings)),
  }
}

function hasReader({ mode, labelsFor = ['caddy'] }: ContainerSettings, reader: LabelReader): boolean {
  return mode === 'labels' && labelsFor.includes(reader)
}

/**
 * Entry points and TLS are Traefik's own settings, where they hold for every router:
 * https://doc.traefik.io/traefik/reference/routing-configuration/other-providers/docker/
 */
function traefikLabels(spec: InstanceSpec, { domain, network }: ContainerSettings): Record<string, string> {
  const name = `longhouse-${spec.subdomain}`
  return {
    'traefik.enable': 'true',
    'traefik.docker.network': network,
    [`traefik.http.routers.${name}.rule`]: `Host(\`${spec.subdomain}.${domain}\`)`,
    [`traefik.http.routers.${name}.service`]: name,
    [`traefik.http.services.${name}.loadbalancer.server.port`]: String(instancePort),
  }
}

/**
 * A digest of everything that a container is made with but what belongs to its one instance: what we close, limit and
 * mount, too. It tells instances that an earlier version made from those made today.
 */
export function containerRecipe(settings: ContainerSettings): string {
  return specHash(containerOptions(anyInstance, { ...settings, trustedProxies: [] }, ''))
}

const anyInstance: InstanceSpec = {
  id: '',
  subdomain: '',
  ownerEmail: '',
  image: '',
  imageId: null,
  volume: '',
  passwordHash: '',
  publicUrl: '',
  timezone: '',
  stopGraceMs: 0,
  limits: null,
  environment: {},
}

function specHash(parts: object): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
}
