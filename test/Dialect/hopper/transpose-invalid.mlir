// RUN: fa3-opt %s --split-input-file --verify-diagnostics

// 16 bits.
!from = !hopper.ring<2, vector<64x64xbf16>>
!to = !hopper.ring<2, vector<64x64xbf16>>
func.func @f(%a: !from, %b: !to) {
  // expected-error@+1 {{transposes 8-bit floats with multiples of 32 as rows and columns, not 'vector<64x64xbf16>' to 'vector<64x64xbf16>'}}
  hopper.ring_transpose %a, %b : !from to !to
  return
}

// -----

// Two types of elements.
!from = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!to = !hopper.ring<2, vector<32x64xf8E5M2>>
func.func @f(%a: !from, %b: !to) {
  // expected-error@+1 {{transposes 8-bit floats with multiples of 32 as rows and columns, not 'vector<64x32xf8E4M3FN>' to 'vector<32x64xf8E5M2>'}}
  hopper.ring_transpose %a, %b : !from to !to
  return
}

// -----

// Fewer columns than the source has rows.
!from = !hopper.ring<2, vector<64x32xf8E4M3FN>>
!to = !hopper.ring<2, vector<32x32xf8E4M3FN>>
func.func @f(%a: !from, %b: !to) {
  // expected-error@+1 {{transposes 8-bit floats with multiples of 32 as rows and columns, not 'vector<64x32xf8E4M3FN>' to 'vector<32x32xf8E4M3FN>'}}
  hopper.ring_transpose %a, %b : !from to !to
  return
}

// -----

// Fewer rows than the source has columns.
!from = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!to = !hopper.ring<2, vector<32x32xf8E4M3FN>>
func.func @f(%a: !from, %b: !to) {
  // expected-error@+1 {{transposes 8-bit floats with multiples of 32 as rows and columns, not 'vector<32x64xf8E4M3FN>' to 'vector<32x32xf8E4M3FN>'}}
  hopper.ring_transpose %a, %b : !from to !to
  return
}

// -----

// Half of 32 rows.
!from = !hopper.ring<2, vector<16x64xf8E4M3FN>>
!to = !hopper.ring<2, vector<64x16xf8E4M3FN>>
func.func @f(%a: !from, %b: !to) {
  // expected-error@+1 {{transposes 8-bit floats with multiples of 32 as rows and columns, not 'vector<16x64xf8E4M3FN>' to 'vector<64x16xf8E4M3FN>'}}
  hopper.ring_transpose %a, %b : !from to !to
  return
}

// -----

// Half of 32 columns.
!from = !hopper.ring<2, vector<64x16xf8E4M3FN>>
!to = !hopper.ring<2, vector<16x64xf8E4M3FN>>
func.func @f(%a: !from, %b: !to) {
  // expected-error@+1 {{transposes 8-bit floats with multiples of 32 as rows and columns, not 'vector<64x16xf8E4M3FN>' to 'vector<16x64xf8E4M3FN>'}}
  hopper.ring_transpose %a, %b : !from to !to
  return
}

// -----

// More rows than the source has columns, but not those of ones.
!from = !hopper.ring<2, vector<32x64xf8E4M3FN>>
!to = !hopper.ring<2, vector<80x32xf8E4M3FN>>
func.func @f(%a: !from, %b: !to) {
  // expected-error@+1 {{transposes 8-bit floats with multiples of 32 as rows and columns, not 'vector<32x64xf8E4M3FN>' to 'vector<80x32xf8E4M3FN>'}}
  hopper.ring_transpose %a, %b : !from to !to
  return
}

// -----

// One ring.
!ring = !hopper.ring<2, vector<32x32xf8E4M3FN>>
func.func @f(%a: !ring) {
  // expected-error@+1 {{needs two rings}}
  hopper.ring_transpose %a, %a : !ring to !ring
  return
}

// -----

// 16 bits.
!from = !hopper.buffer<vector<64x64xbf16>, 64>
!to = !hopper.buffer<vector<64x64xbf16>, 64>
func.func @f(%a: !from, %b: !to) {
  // expected-error@+1 {{transposes 8-bit floats with multiples of 32 as rows and columns, not 'vector<64x64xbf16>' to 'vector<64x64xbf16>'}}
  hopper.buffer_transpose %a, %b : !from to !to
  return
}

// -----

// Two types of elements.
!from = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
!to = !hopper.buffer<vector<32x64xf8E5M2>, 32>
func.func @f(%a: !from, %b: !to) {
  // expected-error@+1 {{transposes 8-bit floats with multiples of 32 as rows and columns, not 'vector<64x32xf8E4M3FN>' to 'vector<32x64xf8E5M2>'}}
  hopper.buffer_transpose %a, %b : !from to !to
  return
}

// -----

// Fewer columns than the source has rows.
!from = !hopper.buffer<vector<64x32xf8E4M3FN>, 64>
!to = !hopper.buffer<vector<32x32xf8E4M3FN>, 32>
func.func @f(%a: !from, %b: !to) {
  // expected-error@+1 {{transposes 8-bit floats with multiples of 32 as rows and columns, not 'vector<64x32xf8E4M3FN>' to 'vector<32x32xf8E4M3FN>'}}
  hopper.buffer_transpose %a, %b : !from to !to
  return
}

// -----

// Fewer rows than the source has columns.
!from = !hopper.buffer<vector<32x64xf8E4M3FN>, 32>
!to = !hopper.buffer<vector<32x32xf8E4M3FN>, 32>
func.func @f(%a: !from, %b: !to) {
  // expected-error@+1 {{transposes 8-bit floats with multiples of 32 as rows and columns, not 'vector<32x64xf8E4M3FN>' to 'vector<32x32xf8E4M3FN>'}}
  hopper.buffer_transpose %a, %b : !from to !to
  return
}

// -----

// Half of 32 rows.
!from = !hopper.buffer<vector<16x64xf8E4M3FN>, 16>
!to = !hopper.buffer<vector<64x16xf8E4M3FN>, 64>
func.func @f(%a: !from, %b: !to) {
  // expected-error@+1 {{transposes 8-bit floats with multiples of 32 as rows and columns, not 'vector<16x64xf8E4M3FN>' to 'vector<64x16xf8E4M3FN>'}}
  hopper.buffer_transpose %a, %b : !from to !to
  return
}

// -----

// Half of 32 columns.
!from = !hopper.buffer<vector<64x16xf8E4M3FN>, 64>
!to = !hopper.buffer<vector<16x64xf8E4M3FN>, 16>
func.func @f(%a: !from, %b: !to) {
  // expected-error@+1 {{transposes 8-bit floats with multiples of 32 as rows and columns, not 'vector<64x16xf8E4M3FN>' to 'vector<16x64xf8E4M3FN>'}}
  hopper.buffer_transpose %a, %b : !from to !to
  return
}

// -----

// More rows than the source has columns, but not those of ones.
!from = !hopper.buffer<vector<32x64xf8E4M3FN>, 32>
!to = !hopper.buffer<vector<80x32xf8E4M3FN>, 80>
func.func @f(%a: !from, %b: !to) {
  // expected-error@+1 {{transposes 8-bit floats with multiples of 32 as rows and columns, not 'vector<32x64xf8E4M3FN>' to 'vector<80x32xf8E4M3FN>'}}
  hopper.buffer_transpose %a, %b : !from to !to
  return
}

// -----

func.func @f(%a: i32) {
  // expected-error@+1 {{moves 1, 2 or 4 registers, not 3}}
  %x:3 = hopper.load_matrix %a : i32, i32, i32
  return
}

// -----

func.func @f(%a: i32) {
  // expected-error@+1 {{moves 1, 2 or 4 registers, not 0}}
  "hopper.load_matrix"(%a) : (i32) -> ()
  return
}
