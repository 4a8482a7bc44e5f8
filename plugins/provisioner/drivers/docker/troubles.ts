import { DriverError } from '../../driver.ts'
import { CutOff } from './http.ts'

/** What the engine says about troubles that operators meet, and what helps. */
const troubles: readonly {
  pattern: RegExp
  permanent: boolean
  help: string
  /** What was being done, where the same words mean something else of anything else. */
  while?: RegExp
}[] = [
  {
    pattern: /no space left on device|disk quota exceeded/i,
    permanent: false,
    help: 'The disk of the Docker engine is full: free some space (docker system df shows what takes it).',
  },
  {
    pattern: /toomanyrequests|rate limit/i,
    permanent: false,
    help: 'The registry limits how often this host may pull: wait, log the engine in (docker login), or load the image there yourself.',
  },
  {
    pattern: /no matching manifest|does not match the (specified|detected) host platform|exec format error/i,
    permanent: true,
    help: 'The image was not built for the processor of this engine: build it for that platform.',
  },
  {
    pattern: /manifest unknown|repository does not exist|manifest for .* not found/i,
    permanent: true,
    help: 'The registry has no such image, or does not show it to this engine: check the name, sign in there (docker login), or set CONTROL_PLANE_IMAGE to one that is there.',
  },
  {
    // The engine says "permission denied" of the host's files as well.
    while: /^pull /,
    pattern: /unauthorized|denied|authentication required|no basic auth/i,
    permanent: true,
    help: 'The registry does not give the image to this engine: sign in there (docker login), or load the image yourself.',
  },
  {
    pattern: /range of CPUs|minimum memory limit|Invalid value .*, minimum/i,
    permanent: true,
    help: 'The limits ask for what this engine does not have: lower INSTANCE_CPUS and INSTANCE_MEMORY, or those of the plan in BILLING_PLANS.',
  },
  {
    pattern: /non-overlapping IPv4 address pool|pool overlaps/i,
    permanent: false,
    help: 'The engine has no address range left for a network: remove unused ones (docker network prune) or widen default-address-pools in its daemon.json.',
  },
  {
    pattern: /no available (IPv4 )?address/i,
    permanent: false,
    help: 'Every address of the network is taken: recreate it with a larger subnet.',
  },
  {
    pattern: /exchange full/i,
    permanent: false,
    help: 'A Linux bridge takes at most 1,023 containers: put further instances on another network or host.',
  },
  {
    pattern: /bind source path does not exist/i,
    permanent: true,
    help: 'The engine does not see the volume. When the control plane itself runs in a container, the data root must be mounted at the same path inside and outside.',
  },
  {
    pattern: /br_netfilter|bridge-nf-call|inter-container communication/i,
    permanent: true,
    help: 'The engine cannot keep instances apart: load the kernel module br_netfilter (modprobe br_netfilter).',
  },
]

/** The engine said no: its own words, with what helps. `permanent` holds where no trouble that we know says otherwise. */
export function refusal(doing: string, said: string, permanent: boolean, cause?: unknown): DriverError {
  const trouble = troubles.find(each => each.pattern.test(said) && (each.while?.test(doing) ?? true))
  return new DriverError(`could not ${doing}: ${said}${trouble ? ` — ${trouble.help}` : ''}`, {
    permanent: trouble?.permanent ?? permanent,
    cause,
  })
}

/** An answer that says nothing: neither that it was done, nor that there is nothing. */
export function unreadable(
  doing: string,
  socketPath: string,
  answer: { status: number; body: Buffer },
): DriverError {
  const begins = answer.body.toString('utf8').replace(/\s+/g, ' ').trim().slice(0, 80)
  const what = begins === '' ? 'with nothing in it' : `beginning with ${JSON.stringify(begins)}`
  return new DriverError(
    `could not ${doing}: the Docker engine at ${socketPath} gave an answer that cannot be read (HTTP ${answer.status}, ${what}); whether it was done is unknown. Check that DOCKER_HOST is the engine's own socket`,
    { permanent: false, transient: true },
  )
}

/** No whole answer came. */
export function noAnswer(
  doing: string,
  error: unknown,
  { socketPath, timeoutMs }: { socketPath: string; timeoutMs: number },
): DriverError {
  const { code = '', name = '' } = error as { code?: string; name?: string }
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such socket; start Docker, or set DOCKER_HOST to where its socket is',
    ECONNREFUSED: 'nothing listens there; start Docker',
    EACCES: "this user may not use it; add the control plane's user to the group that owns the socket",
    EPERM: "this user may not use it; add the control plane's user to the group that owns the socket",
  }
  const late = name === 'TimeoutError' || name === 'AbortError'
  const reason = late
    ? `it gave no answer within ${timeoutMs / 1000} s`
    : (reasons[code] ?? (error as Error).message)
  const verb = error instanceof CutOff ? 'broke off' : 'does not answer'
  return new DriverError(`could not ${doing}: the Docker engine at ${socketPath} ${verb} (${reason})`, {
    permanent: false,
    transient: true,
    cause: error,
  })
}
