tile.kernel @first() {
  hopper.fence_proxy_async
  tile.return
}
tile.kernel @second() {
  hopper.cta_sync
  tile.return
}
