import tailwind from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Where `vite dev` sends the calls of the page: a server started with `clout up`. */
const target = 'http://127.0.0.1:8443';

export default defineConfig({
  plugins: [react(), tailwind()],
  resolve: { conditions: ['@cloutagent/source', 'module', 'browser', 'development|production'] },
  build: {
    target: 'es2023',
    outDir: 'dist',
    // The server sends `default-src 'self'`, which refuses data: URLs.
    assetsInlineLimit: 0,
    sourcemap: false,
  },
  server: { proxy: { '/api': target } },
});
