import { changeRequests } from './change-requests.ts';
import { fileTasks } from './file-tasks.ts';
import type { MessagesRequest } from './request.ts';
import type { Behaviour, Speech } from './scenario.ts';
import { readTaskPrompt } from './task-prompt.ts';

/** A behaviour works its answer out from the whole conversation, so that it goes on after any restart. */
export const BEHAVIOURS: Readonly<Record<Behaviour, (request: MessagesRequest) => Speech>> = {
  'file-tasks': fileTasks,
  'change-requests': changeRequests,
  assistant: (request) =>
    readTaskPrompt(request.messages) === undefined ? changeRequests(request) : fileTasks(request),
};
