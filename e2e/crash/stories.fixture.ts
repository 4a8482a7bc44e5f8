import { type OperationKind, operationKinds } from '../../plugins/provisioner/contract.ts'
import { type Plan, planOf, type StepName } from '../../plugins/provisioner/records/plan.ts'

/** One operation from its beginning to its end, or to the end of its undoing. */
export interface Story {
  name: string
  kind: OperationKind
  /** Whether the instance is meant to be stopped. */
  stopped: boolean
  plan: Plan
  /** The step that fails, so that everything is undone; null when none does. */
  failAfter: StepName | null
}

/** Every operation of the program: each kind, for instances that run and that are stopped, and each undoing. */
export function stories(): Story[] {
  return operationKinds.flatMap(kind => {
    const running = planOf(kind, 'running')
    const stopped = planOf(kind, 'stopped')
    const plans = running === stopped ? [running] : [running, stopped]
    return plans.flatMap((plan): Story[] => {
      const story = { kind, plan, stopped: plan !== running, failAfter: null }
      const name = plan === running ? kind : `${kind} of a stopped one`
      const failAfter = lastToFail(plan)
      return [
        { ...story, name },
        ...(failAfter === null ? [] : [{ ...story, name: `${name}, undone`, failAfter }]),
      ]
    })
  })
}

/** The last step whose failure is undone. */
function lastToFail({ steps, undo }: Plan): StepName | null {
  if (!undo) return null
  const names = steps.map(({ name }) => name)
  const undone = names.slice(names.indexOf(undo.from), names.indexOf(undo.to) + 1)
  return undone.at(-1) ?? null
}

/** The steps that a story is about, as points name them. */
export function stepsOf({ plan, failAfter }: Story): string[] {
  if (failAfter === null) return plan.steps.map(({ name }) => name)
  return (plan.undo?.steps ?? []).map(({ name }) => `undo: ${name}`)
}

/** Whether a point is part of what a story is about: what comes before an undoing belongs to another story. */
export function isOf({ failAfter }: Story, point: string): boolean {
  return point.startsWith('undo: ') === (failAfter !== null)
}
