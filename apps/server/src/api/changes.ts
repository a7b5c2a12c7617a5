import { archiveChange, listChanges, openChange, readChange, validateChange } from '@cloutagent/openspec';
import { planChange } from '@cloutagent/lane';
import type { Workbench } from '../workbench.ts';
import { created, type Handlers } from './bind.ts';

type ChangeRoutes = 'changesList' | 'changeOpen' | 'changeShow' | 'changeValidate' | 'changeArchive' | 'changePlan';

export const changeHandlers = (bench: Workbench): Pick<Handlers, ChangeRoutes> => ({
  changesList: ({ query }) => listChanges(bench.project, query),
  changeOpen: async ({ body, context }) => created(await openChange(bench.projectFor(context.principal), body)),
  changeShow: ({ params }) => readChange(bench.project, params['slug'] ?? ''),
  changeValidate: ({ params, query }) => validateChange(bench.project, params['slug'] ?? '', { strict: query.strict }),
  changeArchive: ({ params, body, context }) => {
    const project = bench.projectFor(context.principal);
    return archiveChange(project, {
      slug: params['slug'] ?? '',
      allowIncomplete: body.allowIncomplete,
      union: body.union,
      ...bench.archiving(project, body.allowIncomplete),
    });
  },
  changePlan: async ({ params, query }) => {
    const slug = params['slug'] ?? '';
    const plan = await planChange(await bench.laneDeps(), {
      slug,
      simulated: query.simulate,
      ...(query.model === undefined ? {} : { model: query.model }),
    });
    await bench.planned(slug);
    return plan;
  },
});
