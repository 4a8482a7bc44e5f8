import type { Child } from 'hono/jsx'

export interface Column<Row> {
  label: string
  cell(row: Row): Child
  /**
   * `lead` names the row and becomes its heading on a phone; `number` aligns right; `minor` is hidden on a phone;
   * `end` contains the actions; `pick` a checkbox; `brief` stays where a phone shows one line for each row.
   */
  kind?: 'lead' | 'number' | 'minor' | 'end' | 'pick' | 'brief'
  /** Makes the heading a link that sorts by this column. */
  sort?: {
    href: string
    /** How the rows are sorted by it now; null when they are not. */
    direction: 'ascending' | 'descending' | null
  }
}

export interface TableProps<Row> {
  /** What the table lists, for screen readers. */
  caption: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  /** An id for each row, by which live updates find it. */
  rowId(row: Row): string
  /** On a phone each row is one line: of its cells only `pick`, `lead` and `brief` are shown. */
  oneLine?: boolean
}

const classes = {
  ...{ lead: 'lead-cell', number: 'number', minor: 'minor', end: 'end', pick: 'pick', brief: 'brief' },
} as const

/** Rows and columns on a wide screen, one card per row on a phone. */
export function Table<Row>({ caption, columns, rows, rowId, oneLine = false }: TableProps<Row>) {
  return (
    <table class={oneLine ? 'rows one-line' : 'rows'}>
      <caption class="unseen">{caption}</caption>
      <thead>
        <tr>
          {columns.map(column => (
            <Heading column={column} />
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(row => (
          <tr id={rowId(row)}>
            {columns.map(column => (
              <td class={column.kind && classes[column.kind]} data-label={column.label}>
                {column.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Heading<Row>({ column: { label, kind, sort } }: { column: Column<Row> }) {
  const unseen = kind === 'end' || kind === 'pick'
  const words = unseen ? <span class="unseen">{label}</span> : label
  return (
    <th
      scope="col"
      class={kind === 'number' ? 'number' : undefined}
      aria-sort={sort ? (sort.direction ?? 'none') : undefined}
    >
      {sort ? (
        <a href={sort.href} class="sort">
          {words}
          {sort.direction ? (
            <span aria-hidden="true">{sort.direction === 'ascending' ? ' ↑' : ' ↓'}</span>
          ) : null}
        </a>
      ) : (
        words
      )}
    </th>
  )
}

/** The position in a long list, with links to the neighbouring pages. `href` returns the address of an offset. */
export function Pages(props: {
  total: number
  limit: number
  offset: number
  href(offset: number): string
  /** The labels of the links towards the beginning and the end. */
  ways?: readonly [string, string]
}) {
  const { total, limit, offset, href, ways = ['Newer', 'Older'] } = props
  if (total <= limit && offset === 0) return null
  const last = Math.min(offset + limit, total)
  return (
    <nav class="panel-body actions" aria-label="Pages">
      {offset > 0 ? (
        <a class="button" href={href(Math.max(0, offset - limit))}>
          {ways[0]}
        </a>
      ) : null}
      {last < total ? (
        <a class="button" href={href(offset + limit)}>
          {ways[1]}
        </a>
      ) : null}
      <span class="fine">
        {Math.min(offset + 1, total)}–{last} of {total}
      </span>
    </nav>
  )
}
