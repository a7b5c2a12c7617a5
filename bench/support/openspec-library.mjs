// What the bench asks of our library, as a module that is bundled like the programs that contain it.

export { archiveChange, openProject, validateChange } from '@cloutagent/openspec';
export { systemClock } from '@cloutagent/kit';
