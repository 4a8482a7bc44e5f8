import { Button } from '../../components/button.tsx'
import { FieldNotes } from '../../components/field.tsx'
import { Notice, PageHead, Panel } from '../../components/panel.tsx'
import { sentence } from '../../components/sentence.ts'

/** One parameter in the form. */
export interface ParamFieldView {
  name: string
  /** `loose` accepts JSON, and treats anything else as text. */
  kind: 'text' | 'lines' | 'number' | 'checkbox' | 'choice' | 'date' | 'email' | 'url' | 'json' | 'loose'
  required: boolean
  /** True if an empty field is omitted. */
  optional: boolean
  description: string | null
  /** The current value; a checkbox is checked unless it is ''. */
  value: string
  choices: readonly string[]
  min: number | undefined
  max: number | undefined
  step: string | undefined
  /** The error, as the rest of a sentence: `must be a number`. */
  error: string | null
}

export interface RunFormPageProps {
  job: { id: string; description: string }
  /** Prefix of parameter names in the form. */
  prefix: string
  fields: readonly ParamFieldView[]
  /** The same request for a program. */
  script: string
}

export function RunFormPage({ job, prefix, fields, script }: RunFormPageProps) {
  const wrong = fields.filter(field => field.error !== null)
  return (
    <>
      <PageHead
        crumb={{ href: `/jobs/${job.id}`, label: job.id }}
        title={<>Run {job.id}</>}
        lead="The run starts at once, with the current code."
      />
      <div class="stack">
        {wrong.length > 0 ? (
          <Notice tone="bad" title="The job was not started">
            <p>{wrong.map(field => `${field.name} ${field.error}`).join('; ')}.</p>
          </Notice>
        ) : null}
        <div class="columns">
          <Panel title="Parameters">
            <form method="post" action={`/jobs/${job.id}/run`} class="form">
              {fields.length === 0 ? <p class="fine">This job has no parameters.</p> : null}
              {fields.map(field => (
                <ParamField field={field} prefix={prefix} />
              ))}
              <div class="actions">
                <Button look="primary">Run</Button>
                <a class="button quiet" href={`/jobs/${job.id}`}>
                  Back
                </a>
              </div>
            </form>
          </Panel>
          <Panel title="From a script">
            <div class="stack">
              <pre class="code">{script}</pre>
              <p class="fine">
                Use the address of this instance and an API token with the scope <code>run</code>. The answer
                is the run, as JSON.
              </p>
            </div>
          </Panel>
        </div>
      </div>
    </>
  )
}

function ParamField({ field, prefix }: { field: ParamFieldView; prefix: string }) {
  const { name, kind, description, error, optional } = field
  const id = `param-${name}`
  const hint = [description, hints[kind]].filter(Boolean).join(' ')
  const described = [hint ? `${id}-hint` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ')
  const control = (
    <Control field={field} id={id} name={`${prefix}${name}`} described={described || undefined} />
  )
  return (
    <div class="field">
      {kind === 'checkbox' ? (
        <label class="tick" for={id}>
          {control}
          {name}
        </label>
      ) : (
        <>
          <label for={id}>
            {name}
            {optional ? <span class="fine"> (optional)</span> : null}
          </label>
          {control}
        </>
      )}
      <FieldNotes id={id} hint={hint} error={error ? sentence(error) : undefined} />
    </div>
  )
}

const hints: Partial<Record<ParamFieldView['kind'], string>> = {
  json: 'As JSON.',
  loose: 'As JSON, or as plain text.',
}

function Control(props: { field: ParamFieldView; id: string; name: string; described: string | undefined }) {
  const { field, id, name, described } = props
  const { kind, value, choices, required } = field
  const common = {
    id,
    name,
    required,
    'aria-describedby': described,
    'aria-invalid': field.error ? 'true' : undefined,
  } as const
  if (kind === 'checkbox') return <input {...common} type="checkbox" value="on" checked={value !== ''} />
  if (kind === 'choice') {
    // A value that is not offered is listed too, with its error.
    const offered = value === '' || choices.includes(value) ? choices : [value, ...choices]
    return (
      <select {...common}>
        {required && value !== '' ? null : <option value="">–</option>}
        {offered.map(choice => (
          <option value={choice} selected={choice === value}>
            {choice}
          </option>
        ))}
      </select>
    )
  }
  if (kind === 'lines' || kind === 'json') {
    return (
      <textarea {...common} rows={5} spellcheck={false} class={kind === 'json' ? 'mono' : undefined}>
        {value}
      </textarea>
    )
  }
  return (
    <input
      {...common}
      type={kind === 'loose' ? 'text' : kind}
      value={value}
      min={field.min}
      max={field.max}
      step={field.step}
      inputmode={kind === 'number' ? (field.step === '1' ? 'numeric' : 'decimal') : undefined}
      autocomplete="off"
      autocapitalize="none"
    />
  )
}
