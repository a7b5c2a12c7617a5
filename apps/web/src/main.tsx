import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createQueryClient } from './api/queries.ts';
import { AuthGateProvider } from './shell/auth-gate.tsx';
import { createAppRouter } from './router.tsx';
import './styles.css';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={createQueryClient()}>
      <AuthGateProvider>
        <RouterProvider router={createAppRouter()} />
      </AuthGateProvider>
    </QueryClientProvider>
  </StrictMode>,
);
