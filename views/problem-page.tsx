export interface ProblemPageProps {
  title: string
  detail: string
  errors?: readonly { path: string; message: string }[] | undefined
  requestId: string
  back?: { href: string; label: string }
}

/** A problem as a page: what happened, what was kept, and where to go. */
export function ProblemPage({ title, detail, errors, requestId, back }: ProblemPageProps) {
  return (
    <section class="problem">
      <h1>{title}</h1>
      {errors && errors.length > 0 ? (
        <ul>
          {errors.map(error => (
            <li>
              {error.path ? <code>{error.path}</code> : null} {error.message}
            </li>
          ))}
        </ul>
      ) : (
        <p>{detail}</p>
      )}
      {back ? (
        <p>
          <a href={back.href}>{back.label}</a>
        </p>
      ) : null}
      <p class="fine">
        Request <code>{requestId}</code>
      </p>
    </section>
  )
}
