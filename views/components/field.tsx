import { Mark } from './mark.tsx'

export interface FieldProps {
  name: string
  /** Where a page has several fields of one name: an id for this one. */
  id?: string
  label: string
  type?: 'text' | 'password' | 'email' | 'number' | 'url'
  value?: string | undefined
  hint?: string
  /** What is wrong, and what is valid. */
  error?: string | undefined
  required?: boolean
  autofocus?: boolean
  autocomplete?: string
  placeholder?: string
  /** Text after the input, such as `.example.com`. */
  suffix?: string
  pattern?: string
  spellcheck?: boolean
  /** Requests this address with the field's value while it is typed; the response is shown below the field. */
  check?: { src: string; into: string }
  /** Renders a choice instead of a text input. */
  options?: readonly { value: string; label: string }[]
}

/** An input with its label, hint and error, connected for screen readers. */
export function Field(props: FieldProps) {
  const { name, label, hint, error, suffix } = props
  const id = props.id ?? `field-${name}`
  const described = [hint ? `${id}-hint` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ')
  const control = <Control {...props} id={id} described={described || undefined} />
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {suffix ? (
        <div class="affix">
          {control}
          <span class="suffix">{suffix}</span>
        </div>
      ) : (
        control
      )}
      <FieldNotes id={id} hint={hint} error={error} />
    </div>
  )
}

/** What belongs below an input: a hint, and what is wrong. The input names both in `aria-describedby`, as `<id>-hint` and `<id>-error`. */
export function FieldNotes({
  id,
  hint,
  error,
}: {
  id: string
  hint?: string | undefined
  error?: string | undefined
}) {
  return (
    <>
      {hint ? (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      ) : null}
      {error ? (
        <p class="error tone-bad" id={`${id}-error`}>
          <Mark shape="cross" />
          {error}
        </p>
      ) : null}
    </>
  )
}

function Control(props: FieldProps & { id: string; described: string | undefined }) {
  const { id, name, type = 'text', value, options, required, error, described } = props
  const common = {
    id,
    name,
    required,
    autofocus: props.autofocus,
    'aria-describedby': described,
    'aria-invalid': error ? 'true' : undefined,
  } as const
  if (options) {
    return (
      <select {...common}>
        {options.map(option => (
          <option value={option.value} selected={option.value === value}>
            {option.label}
          </option>
        ))}
      </select>
    )
  }
  return (
    <input
      {...common}
      type={type}
      value={value}
      autocomplete={props.autocomplete}
      placeholder={props.placeholder}
      pattern={props.pattern}
      spellcheck={props.spellcheck}
      {...(props.check && {
        'hx-get': props.check.src,
        'hx-target': `#${props.check.into}`,
        'hx-trigger': 'input changed delay:300ms',
        'hx-swap': 'outerHTML',
      })}
      autocapitalize={type === 'text' ? 'none' : undefined}
    />
  )
}
