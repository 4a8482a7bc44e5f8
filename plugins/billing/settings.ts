import { z } from 'zod'
import { isLoopback } from '../../src/http/address.ts'
import { setting } from '../../src/kernel/config.ts'
import type { Plan } from './contract.ts'

export interface StripeSettings {
  secretKey: string
  /** Signing secrets, any of which is accepted: two of them during a rotation. */
  webhookSecrets: readonly string[]
  /** Stripe's address; tests set another. */
  apiBase: URL
  /** Whether Stripe calculates taxes. */
  tax: boolean
  plans: readonly Plan[]
}

const day = 86_400_000
const days = (least: number, most: number, otherwise: number) =>
  setting
    .integer(least, most)
    .prefault(String(otherwise))
    .transform(count => count * day)

const planShape = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9-]{1,40}$/, 'must be a short name such as basic'),
    name: z.string().min(1, 'must not be empty').max(60, 'may have at most 60 characters'),
    cost: z.string().max(60, 'may have at most 60 characters').default(''),
    price: z.string().regex(/^price_\w+$/, 'must be the id of a Stripe price such as price_1Abc'),
    instances: z
      .int('must be a whole number')
      .min(1, 'must be 1 or more')
      .max(1000, 'must be at most 1000')
      .default(1),
    domains: z
      .int('must be a whole number')
      .min(0, 'must be 0 or more')
      .max(1000, 'must be at most 1000')
      .optional(),
    memory: setting.size('64m', '1024g').optional(),
    cpus: z
      .number('must be a number of cores such as 0.5')
      .min(0.05, 'must be 0.05 or more')
      .max(1024, 'must be at most 1024')
      .optional(),
    processes: z
      .int('must be a whole number')
      .min(32, 'must be 32 or more')
      .max(100_000, 'must be at most 100000')
      .optional(),
    disk: setting.size('64m', '102400g').optional(),
    runs: z
      .int('must be a whole number')
      .min(1, 'must be 1 or more')
      .max(1000, 'must be at most 1000')
      .optional(),
  })
  .extend({
    requests: z
      .int('must be a whole number')
      .min(1, 'must be 1 or more')
      .max(10_000, 'must be at most 10000')
      .optional(),
    rate: z
      .int('must be a whole number of requests a second')
      .min(1, 'must be 1 or more')
      .max(1_000_000, 'must be at most 1000000')
      .optional(),
    body: setting.size('1k', '1024g').optional(),
  })
  .refine(plan => (plan.memory === undefined) === (plan.cpus === undefined), {
    path: ['memory'],
    message: 'must be set together with cpus, or not at all',
  })
  .transform(
    ({ memory, cpus, processes, disk, runs, domains = null, requests, rate, body, ...plan }): Plan => {
      const limits = {
        ...(memory !== undefined && { memoryBytes: memory }),
        ...(cpus !== undefined && { cpus }),
        ...(processes !== undefined && { pids: processes }),
        ...(disk !== undefined && { diskBytes: disk }),
        ...(runs !== undefined && { runsAtOnce: runs }),
      }
      const traffic = {
        ...(requests !== undefined && { requests }),
        ...(rate !== undefined && { requestsPerSecond: rate }),
        ...(body !== undefined && { bodyBytes: body }),
      }
      return { ...plan, domains, limits: orNull(limits), traffic: orNull(traffic) }
    },
  )

/** What a plan sets; null when that is nothing. */
function orNull<T extends object>(values: T): T | null {
  return Object.keys(values).length === 0 ? null : values
}

const plansExample = '[{"id":"basic","name":"Basic","cost":"9 € a month","price":"price_1Abc","instances":1}]'
const plans = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text)
    } catch {
      context.addIssue({ code: 'custom', message: `must be JSON such as ${plansExample}` })
      return z.NEVER
    }
  })
  .pipe(
    z
      .array(planShape, `must be a list such as ${plansExample}`)
      .min(1, 'must contain at least one plan')
      .refine(
        list => new Set(list.map(plan => plan.id)).size === list.length,
        'must not contain a plan twice',
      )
      .refine(
        list => new Set(list.map(plan => plan.price)).size === list.length,
        'must not contain a price twice',
      ),
  )

/** Billing needs all three settings, or none: with only some of them, it would take payments without recording them. */
const needed = ['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET', 'BILLING_PLANS'] as const

export const billingConfig = z
  .object({
    STRIPE_SECRET_KEY: z
      .string()
      .regex(/^(sk|rk)_(test|live)_\w+$/, 'must be a Stripe secret key such as sk_test_…')
      .optional(),
    STRIPE_WEBHOOK_SECRET: setting
      .list()
      .refine(
        list => list.length > 0 && list.every(each => /^whsec_\S+$/.test(each)),
        'must be Stripe signing secrets such as whsec_…, separated by commas',
      )
      .optional(),
    BILLING_PLANS: plans.optional(),
    STRIPE_API_BASE: z
      .string()
      .refine(isApiBase, 'must be an https address such as https://api.stripe.com')
      .transform(text => new URL(text))
      .prefault('https://api.stripe.com'),
    STRIPE_TAX: setting.flag().prefault('false'),
    BILLING_TRIAL_DAYS: days(0, 365, 14),
    /** How many trials may be in progress at the same time. */
    BILLING_TRIAL_LIMIT: setting.integer(0, 1_000_000).prefault('100'),
    BILLING_GRACE_DAYS: days(0, 90, 14),
    BILLING_REMOVAL_DAYS: days(1, 365, 30),
  })
  .superRefine((env, context) => {
    const given = needed.filter(name => env[name] !== undefined)
    if (given.length === 0) return
    for (const name of needed) {
      if (env[name] === undefined)
        context.addIssue({ code: 'custom', path: [name], message: `must be set too, as ${given[0]} is` })
    }
  })
  .transform(env => {
    const { STRIPE_SECRET_KEY: secretKey, STRIPE_WEBHOOK_SECRET: webhookSecrets, BILLING_PLANS } = env
    const stripe: StripeSettings | null =
      secretKey && webhookSecrets && BILLING_PLANS
        ? {
            secretKey,
            webhookSecrets,
            apiBase: env.STRIPE_API_BASE,
            tax: env.STRIPE_TAX,
            plans: BILLING_PLANS,
          }
        : null
    return {
      stripe,
      trialMs: env.BILLING_TRIAL_DAYS,
      trialLimit: env.BILLING_TRIAL_LIMIT,
      graceMs: env.BILLING_GRACE_DAYS,
      removalMs: env.BILLING_REMOVAL_DAYS,
    }
  })

/** Plain http only to this machine, for tests: every request carries the key. */
function isApiBase(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, pathname, search, hash } = new URL(text)
  if (pathname !== '/' || search || hash) return false
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
}
