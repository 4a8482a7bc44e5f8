import { Button } from '../../components/button.tsx'

/** The filter as query parameters, the order, and which part of the results is shown. */
export interface ListView {
  filter: Readonly<Record<string, string>>
  /** A column, with `-` before it for the reverse. */
  sort: string
  total: number
  offset: number
  limit: number
}

const path = '/admin/instances'

/** The order of the list without a choice: what needs the operator first. */
const standardSort = 'status'

/** The address of the list with its filter and order, and other parameters; an offset of 0 is left out. */
export function addressOf(
  { filter, sort }: Pick<ListView, 'filter' | 'sort'>,
  { offset = 0, ...more }: { offset?: number } & Record<string, string | number> = {},
): string {
  const query = new URLSearchParams({
    ...filter,
    ...(sort === standardSort ? {} : { sort }),
    ...Object.fromEntries(Object.entries(more).map(([name, value]) => [name, String(value)])),
    ...(offset > 0 ? { offset: String(offset) } : {}),
  })
  return query.size === 0 ? path : `${path}?${query}`
}

const fields = {
  status: 'Status',
  desired: 'Desired',
  health: 'Health',
  plan: 'Plan',
  version: 'Version',
  driver: 'Driver',
}
export type FilterChoices = Readonly<Record<keyof typeof fields, readonly string[]>>

const flags = {
  behind: 'Behind',
  outdated: 'Older settings',
  unpaid: 'Unpaid',
  backup_overdue: 'Backup overdue',
} as const

/** The choices that narrow the list, open while any is made. */
export function InstanceFilter({ list, choices }: { list: ListView; choices: FilterChoices }) {
  const { filter, sort } = list
  const made = Object.keys(filter).filter(name => name !== 'search')
  return (
    <details class="filter" open={made.length > 0}>
      <summary>{made.length === 0 ? 'Filter' : `Filter: ${list.total} found`}</summary>
      <form method="get" action={path}>
        {filter.search ? <input type="hidden" name="search" value={filter.search} /> : null}
        {sort === standardSort ? null : <input type="hidden" name="sort" value={sort} />}
        {(Object.keys(fields) as (keyof typeof fields)[]).map(name => (
          <Choice
            name={name}
            label={fields[name]}
            value={filter[name] ?? ''}
            options={optionsOf(name, choices)}
          />
        ))}
        <label>
          Owner
          <input
            type="text"
            name="owner"
            value={filter.owner ?? ''}
            placeholder="ada@example.com"
            maxlength={254}
          />
        </label>
        <div class="flags">
          {(Object.keys(flags) as (keyof typeof flags)[]).map(name => (
            <label class="check">
              <input type="checkbox" name={name} value="true" checked={filter[name] === 'true'} />{' '}
              {flags[name]}
            </label>
          ))}
        </div>
        <div class="actions">
          <Button>Apply</Button>
          {made.length > 0 ? <a href={addressOf({ filter: {}, sort })}>All instances</a> : null}
        </div>
      </form>
    </details>
  )
}

function optionsOf(name: keyof typeof fields, choices: FilterChoices): readonly string[] {
  return name === 'plan' && choices.plan.length > 0 ? [...choices.plan, 'none'] : choices[name]
}

/** A choice of one value. Several that an address names stay one choice. */
function Choice(props: { name: string; label: string; value: string; options: readonly string[] }) {
  const { name, label, value, options } = props
  if (options.length === 0) return null
  const all = value === '' || options.includes(value) ? options : [...options, value]
  return (
    <label>
      {label}
      <select name={name}>
        <option value="">any</option>
        {all.map(option => (
          <option value={option} selected={option === value}>
            {option}
          </option>
        ))}
      </select>
    </label>
  )
}
