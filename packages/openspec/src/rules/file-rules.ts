import type { Finding } from '@cloutagent/contract';
import type { Meta } from '../meta.ts';

/** Delta sections in a file that OpenSpec never reads, by the file's name under `specs/`. */
export const misplacedFinding = (name: string): Finding => {
  const found = `Delta spec found at specs/${name}.`;
  if (name === 'spec.md') {
    const message = `${found} Delta specs must live under a capability path (e.g. specs/<capability-path>/spec.md) — a file at the specs/ root is ignored when the change is applied or archived.`;
    return { level: 'ERROR', code: 'DELTA_AT_ROOT', path: name, message };
  }
  const capability = name.includes('/') ? name.slice(0, name.lastIndexOf('/')) : name.replace(/\.md$/iu, '');
  const message = `${found} Delta specs must be a spec.md inside a capability folder — this file is ignored when the change is applied or archived. Move its requirements into specs/${capability}/spec.md.`;
  return { level: 'ERROR', code: 'DELTA_FILE_UNREAD', path: name, message };
};

const error = (code: string, path: string, message: string): Finding => ({ level: 'ERROR', code, path, message });

/** Findings about `skip_specs` and about a change that changes nothing. */
export const markerFindings = (
  meta: Meta,
  found: { readonly hasSpecFiles: boolean; readonly hasEntries: boolean; readonly isMisplaced: boolean },
): Finding[] => {
  const findings: Finding[] = [];
  if (meta.skipSpecsProblem !== undefined) {
    const message = `skip_specs is set but .openspec.yaml is not valid change metadata, so the marker is not honored. Fix the metadata (${meta.skipSpecsProblem})`;
    findings.push(error('SKIP_SPECS_INVALID', '.openspec.yaml', message));
  }
  if (meta.skipSpecs && found.hasSpecFiles) {
    const message =
      'skip_specs is set in .openspec.yaml but spec files exist under specs/. Remove skip_specs or delete the delta spec files';
    findings.push(error('SKIP_SPECS_CONFLICT', 'file', message));
  }
  if (found.hasEntries || found.isMisplaced) return findings;
  if (!meta.skipSpecs) findings.push(error('CHANGE_NO_DELTAS', 'file', NO_DELTAS));
  else if (!found.hasSpecFiles) {
    const message =
      'skip_specs is set in .openspec.yaml: change declares no spec-level behavior changes, zero deltas accepted';
    findings.push({ level: 'INFO', code: 'SKIP_SPECS_ACCEPTED', path: 'file', message });
  }
  return findings;
};

const NO_DELTAS =
  'Change must have at least one delta. No deltas found. Ensure your change has a specs/ directory with capability folders (e.g. specs/http-server/spec.md) containing .md files that use delta headers (## ADDED/MODIFIED/REMOVED/RENAMED Requirements) and that each requirement includes at least one "#### Scenario:" block. If this change intentionally modifies no specs (pure refactor, tooling, docs), set "skip_specs: true" in the change\'s .openspec.yaml instead. Tip: run "openspec change show <change-id> --json --deltas-only" to inspect parsed deltas.';
